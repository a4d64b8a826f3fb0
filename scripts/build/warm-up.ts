/**
 * usage: node scripts/build/warm-up.ts BUNDLE… [-- ARG…]
 * Runs bundles once with these arguments, and leaves the code that ran as their caches. Under the Node that the bundles
 * will run under: V8 takes no other's.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { codeCacheOf, compile, type RunBundle } from './cached-code.ts';

const [, , ...words] = process.argv;
const split = words.includes('--') ? words.indexOf('--') : words.length;
const scripts = words.slice(0, split).map((file) => ({ file, script: compile(file) }));
process.argv = [process.execPath, scripts[0]?.file ?? '', ...words.slice(split + 1)];
process.on('exit', () => {
  for (const { file, script } of scripts) writeFileSync(codeCacheOf(file), script.createCachedData());
});
for (const { file, script } of scripts) {
  const module = { exports: {} };
  (script.runInThisContext() as RunBundle)(module.exports, createRequire(file), module, file, dirname(file));
}
