/**
 * Code as V8 compiled it, kept beside a bundle. Node's own compile cache keeps what is compiled before the first line
 * runs; a cache that is made after a run holds every function that ran: 15 of 105 ms of a command, half of the time that
 * a provider's package takes to load.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';

export type RunBundle = (
  exports: unknown,
  require: NodeJS.Require,
  module: { exports: unknown },
  file: string,
  folder: string,
) => void;

/** Where the code of a bundle lies, and what V8 made of it. */
export function codeCacheOf(file: string): string {
  return `${file}.cache`;
}

/**
 * Compiles a bundle in CommonJS. V8 refuses a cache of another version, other flags or another length of the source:
 * `cachedDataRejected` of the script.
 */
export function compile(file: string, codeCache?: Buffer): Script {
  // One byte a letter: the build writes ASCII only.
  const source = readFileSync(file, 'latin1');
  return new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
    filename: file,
    ...(codeCache === undefined ? {} : { cachedData: codeCache }),
  });
}
