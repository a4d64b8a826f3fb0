import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

/**
 * Bundles into one CommonJS file for a fast start: Node links no modules, dynamic imports stay lazy within the file,
 * and the text is ASCII, because one other character makes V8 hold the whole source at two bytes each (8 of 117 ms of a
 * command, measured).
 */
export async function bundleCommonJs(root: string, outfile: string, options: BuildOptions): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'warning',
    minifySyntax: true,
    minifyWhitespace: true,
    // Node's own import() would look for named exports in the text of our minified files, and find none.
    supported: { 'dynamic-import': false },
    // Loaded from node_modules by the one probe that uses it.
    external: ['execa'],
    define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    ...options,
    write: false,
  });
  const [output] = outputFiles;
  if (output === undefined || outputFiles.length !== 1) throw new Error(`${outfile}: not one file`);
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, toAscii(output.text));
}

/** esbuild escapes texts but not regular expressions; this form is right in both. */
function toAscii(code: string): string {
  return code.replace(
    /[\u{80}-\u{ffff}]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
