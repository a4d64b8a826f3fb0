/** What stands in dist/ in the place of a bundle: it runs the bundle's compiled code, or the bundle where V8 refuses that. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeCacheOf, compile, type RunBundle } from './cached-code.ts';

/** The name of the bundle; the build puts it here. */
declare const CODE_FILE: string;

const file = join(__dirname, CODE_FILE);

function readCodeCache(): Buffer | null {
  try {
    return readFileSync(codeCacheOf(file));
  } catch {
    return null;
  }
}

function load(): void {
  const codeCache = readCodeCache();
  const script = codeCache === null ? null : compile(file, codeCache);
  if (script === null || script.cachedDataRejected === true) module.exports = require(file);
  else (script.runInThisContext() as RunBundle)(exports, require, module, file, __dirname);
}

load();
