import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { namesIn } from '../../protocol/names-in.ts';

/** One attempt's log in an instance's folder; written by the instance (`step-log.ts` there says how). */
export interface StepLogFile {
  readonly path: string;
  readonly attempt: number;
  readonly file: string;
}

/** What an instance's folder holds at one moment. */
export interface LogListing {
  /** In the order in which their steps began. */
  readonly logs: readonly StepLogFile[];
  /** Where the parts of a log begin, in bytes of the whole log, the earliest first. */
  parts(file: string): readonly number[];
}

/** Looks at a folder once, for all its logs. A folder that is not there yet has none. */
export function listLogs(folder: string): LogListing {
  const parts = new Map<string, number[]>();
  for (const name of namesIn(folder)) {
    const [, file, start = '0'] = /^([\w-]+)(?:\.(\d+))?\.idx$/.exec(name) ?? [];
    if (file === undefined) continue;
    const known = parts.get(file);
    if (known === undefined) parts.set(file, [Number(start)]);
    else known.push(Number(start));
  }
  for (const starts of parts.values()) starts.sort((a, b) => a - b);
  return { logs: readList(join(folder, 'logs.jsonl')), parts: (file) => parts.get(file) ?? [] };
}

/** Path of a part without its extension. */
export function partBase(folder: string, file: string, start: number): string {
  return join(folder, start === 0 ? file : `${file}.${start}`);
}

/** Whole lines only: the last one may be in the middle of being written. */
function readList(file: string): StepLogFile[] {
  try {
    const text = readFileSync(file, {
      encoding: 'utf8',
      flag: constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    });
    return text.split('\n').slice(0, -1).flatMap(readEntry);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** None for a line that a crash cut. */
function readEntry(line: string): StepLogFile[] {
  try {
    return [JSON.parse(line) as StepLogFile];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
