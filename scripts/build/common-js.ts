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
 * The same as `X.code.cjs`, behind a `X.cjs` that runs it out of its code cache, which `warmUp` or a warm run makes. Answers
 * the file of the code.
 */
export async function bundleForCache(root: string, outfile: string, options: BuildOptions): Promise<string> {
  const code = codeOf(outfile);
  await bundleCommonJs(root, code, options);
  await putLoader(root, outfile, 'load-cached');
  return code;
}

/** The file of the code behind a loader. */
export function codeOf(outfile: string): string {
  return outfile.replace(/\.cjs$/, '.code.cjs');
}

/** Puts what runs a bundle's code in its place: `keep-code` only for a warm run of the build. */
export async function putLoader(
  root: string,
  outfile: string,
  loader: 'load-cached' | 'keep-code',
): Promise<void> {
  await bundleCommonJs(root, outfile, {
    entryPoints: [join(import.meta.dirname, `${loader}.ts`)],
    define: { CODE_FILE: JSON.stringify(basename(codeOf(outfile))) },
    // That it sets module.exports within an ES package is what it is for.
    logLevel: 'error',
  });
}

/** Runs bundles in a process of their own, with these arguments, and keeps what V8 made of them. */
export async function warmUp(
  bundles: readonly string[],
  args: readonly string[] = [],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly timeout?: number } = {},
): Promise<void> {
  const script = join(import.meta.dirname, 'warm-up.ts');
  await promisify(execFile)(process.execPath, ['--no-warnings', script, ...bundles, '--', ...args], options);
}

/** esbuild escapes texts but not regular expressions; this form is right in both. */
function toAscii(code: string): string {
  return code.replace(
    /[\u{80}-\u{ffff}]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
