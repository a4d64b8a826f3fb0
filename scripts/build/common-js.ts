import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
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

/**
 * The same as `X.code.cjs`, behind a `X.cjs` that runs it out of its code cache, which `warmUp` makes. Answers the file of
 * the code.
 */
export async function bundleForCache(root: string, outfile: string, options: BuildOptions): Promise<string> {
  const code = outfile.replace(/\.cjs$/, '.code.cjs');
  await bundleCommonJs(root, code, options);
  await bundleCommonJs(root, outfile, {
    entryPoints: [join(import.meta.dirname, 'load-cached.ts')],
    define: { CODE_FILE: JSON.stringify(basename(code)) },
    // That it sets module.exports within an ES package is what it is for.
    logLevel: 'error',
  });
  return code;
}

/** Runs bundles in a process of their own, with these arguments, and keeps what V8 made of them. */
export async function warmUp(bundles: readonly string[], args: readonly string[] = []): Promise<void> {
  const script = join(import.meta.dirname, 'warm-up.ts');
  await promisify(execFile)(process.execPath, ['--no-warnings', script, ...bundles, '--', ...args]);
}

/** esbuild escapes texts but not regular expressions; this form is right in both. */
function toAscii(code: string): string {
  return code.replace(
    /[\u{80}-\u{ffff}]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
