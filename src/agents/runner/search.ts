import { lstatSync, readFileSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { ensureError } from '../../errors/workflow-error.ts';
import { SEARCH_LEAVES_OUT } from '../../guard/tools.ts';
import { numberArgument, textArgument } from '../arguments.ts';
import { entriesOf } from './files.ts';
import { isDeniedBy, placeOf } from './places.ts';
import type { RunnerRequest, RunnerResult } from './request.ts';

const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_FILES = 50_000;
const MAX_MATCHES = 1000;
const MAX_LINE = 300;

/** search: a regular expression over the lines of text files. Links are not followed. */
export function searchFiles({ args, roots, denied }: RunnerRequest): RunnerResult {
  const pattern = toPattern(textArgument(args, 'pattern'));
  const max = Math.min(MAX_MATCHES, numberArgument(args, 'max', 100));
  const glob = args['glob'] === undefined ? null : textArgument(args, 'glob');
  const start = placeOf(textArgument(args, 'path', '.'), roots);
  const found: string[] = [];
  let files = 0;
  const isDenied = isDeniedBy({ roots, denied });
  for (const file of filesBelow(start)) {
    if (isDenied(file)) continue;
    const name = relative(process.cwd(), file);
    if (glob !== null && !matchesGlob(name, glob) && !matchesGlob(name, `**/${glob}`)) continue;
    files += 1;
    if (files > MAX_FILES) return answer(found, `(only the first ${MAX_FILES} files were searched)`);
    for (const [index, line] of linesOf(file).entries()) {
      if (!pattern.test(line)) continue;
      if (found.length >= max) return answer(found, `(only the first ${max} matches are listed)`);
      found.push(`${name}:${index + 1}: ${line.slice(0, MAX_LINE)}`);
    }
  }
  return answer(found, null);
}

function answer(found: readonly string[], note: string | null): RunnerResult {
  const lines = [...found, ...(note === null ? [] : [note])];
  return { isError: false, text: lines.join('\n') || 'no match' };
}

function toPattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    throw new Error(`the pattern cannot be read: ${ensureError(error).message}`, { cause: error });
  }
}

function* filesBelow(path: string): Generator<string> {
  const stat = lstatSync(path);
  if (stat.isFile()) yield path;
  if (!stat.isDirectory()) return;
  for (const entry of entriesOf(path)) {
    if (SEARCH_LEAVES_OUT.has(entry.name)) continue;
    if (entry.isDirectory()) yield* filesBelow(join(path, entry.name));
    else if (entry.isFile()) yield join(path, entry.name);
  }
}

/** None for what is no text, or too large. */
function linesOf(file: string): string[] {
  if (lstatSync(file).size > MAX_FILE_BYTES) return [];
  const content = readFileSync(file, 'utf8');
  return content.includes('\0') ? [] : content.split('\n');
}
