/**
 * usage: node scripts/build/warm-up.ts BUNDLE ARG…
 * Runs a bundle once with these arguments, and leaves the code that it ran as its cache. Under the Node and the flags
 * that the bundle will run under: V8 takes no other.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { codeCacheOf, compileBundle } from '../../src/cli/bundle.ts';

const [, , bundle = '', ...args] = process.argv;
const compiled = compileBundle(bundle);
process.argv = [process.execPath, bundle, ...args];
process.on('exit', () => writeFileSync(codeCacheOf(bundle), compiled.script.createCachedData()));
compiled.run(createRequire(bundle), dirname(bundle));
