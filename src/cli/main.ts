/** Entry of bin/q and bin/q-workflow. Apart from the rest so that the rest comes compiled out of a cache. */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { codeCacheOf, compileBundle } from './bundle.ts';

/** The whole command line in one file, made by scripts/build/command-line.ts. */
const commandLine = join(__dirname, 'command-line.cjs');

function main(): void {
  enableCompileCache();
  // A key press in a shell needs little.
  if (process.argv.slice(3, 5).includes('__complete')) {
    require('./completion.cjs');
    return;
  }
  const codeCache = readCodeCache();
  const bundle = codeCache === null ? null : compileBundle(commandLine, codeCache);
  if (bundle === null || bundle.script.cachedDataRejected === true) require('./command-line.cjs');
  else bundle.run(require, __dirname);
}

function readCodeCache(): Buffer | null {
  try {
    return readFileSync(codeCacheOf(commandLine));
  } catch {
    return null;
  }
}

main();
