/**
 * What stands in the place of a bundle for the warm run of a build: it runs the bundle uncompiled, and leaves the code of
 * every function that ran as the bundle's cache.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeCacheOf, compile, type RunBundle } from './cached-code.ts';

/** The name of the bundle; the build puts it here. */
declare const CODE_FILE: string;

const file = join(__dirname, CODE_FILE);
const script = compile(file);
process.on('exit', () => {
  const cache = codeCacheOf(file);
  writeFileSync(`${cache}.new`, script.createCachedData());
  renameSync(`${cache}.new`, cache);
});
(script.runInThisContext() as RunBundle)(exports, require, module, file, __dirname);
