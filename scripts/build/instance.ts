import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Builds the process of an instance: one CommonJS file, as its start is on the path of every run. Linking ES modules,
 * and those of Node itself in particular, was a third of that start; dynamic imports stay lazy within the file.
 */
export async function buildInstance(root: string): Promise<void> {
  await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'warning',
    minifySyntax: true,
    minifyWhitespace: true,
    entryPoints: ['src/instance/main.ts'],
    outfile: join(root, 'dist', 'instance', 'main.cjs'),
    define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
  });
}
