import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { numberArgument, textArgument } from '../arguments.ts';
import { isDeniedBy, placeOf } from './places.ts';
import type { RunnerRequest, RunnerResult } from './request.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 2000;
const MAX_DEPTH = 8;

/** fs_read: the file, or some lines of it. */
export function readLines({ args, roots }: RunnerRequest): RunnerResult {
  const path = textArgument(args, 'path');
  const content = readRegular(placeOf(path, roots), path);
  if (content.includes('\0')) throw new Error(`${path} is no text file (${content.length} characters)`);
  const { start_line: from, end_line: to } = args;
  if (from === undefined && to === undefined) return { isError: false, text: content };
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [first, last] = [Number(from ?? 1), Math.min(Number(to ?? lines.length), lines.length)];
  if (first > lines.length) throw new Error(`${path} has only ${lines.length} lines`);
  return { isError: false, text: lines.slice(first - 1, last).join('\n') };
}

/** fs_write: all of a file, or one place in it. */
export function editFile({ args, roots }: RunnerRequest): RunnerResult {
  const path = textArgument(args, 'path');
  const { content, old_text: old, new_text: next } = args;
  const isWhole = content !== undefined;
  if (isWhole === (old !== undefined || next !== undefined))
    throw new Error('fs_write takes either content, or old_text and new_text');
  const file = placeOf(path, roots);
  if (isWhole) {
    mkdirSync(dirname(file), { recursive: true });
    const text = textArgument(args, 'content');
    writeRegular(file, text);
    return { isError: false, text: `wrote ${path}: ${Buffer.byteLength(text)} bytes` };
  }
  if (typeof old !== 'string' || old === '' || typeof next !== 'string')
    throw new Error('fs_write needs old_text (not empty) and new_text');
  const before = readRegular(file, path);
  const at = before.indexOf(old);
  if (at === -1) throw new Error(`old_text does not occur in ${path}`);
  if (before.includes(old, at + 1))
    throw new Error(`old_text occurs more than once in ${path}: give more of it`);
  writeRegular(file, before.slice(0, at) + next + before.slice(at + old.length));
  return { isError: false, text: `replaced one place in ${path}` };
}

/** fs_list: names, folders with a slash, links with where they lead. */
export function listFolder({ args, roots, denied }: RunnerRequest): RunnerResult {
  const path = textArgument(args, 'path', '.');
  const depth = Math.min(MAX_DEPTH, numberArgument(args, 'depth', 1));
  const lines: string[] = [];
  let isCut = false;
  const isDenied = isDeniedBy({ roots, denied });
  const walk = (folder: string, prefix: string, level: number): void => {
    for (const entry of entriesOf(folder)) {
      if (lines.length >= MAX_ENTRIES) {
        isCut = true;
        return;
      }
      const mark = entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : '';
      lines.push(`${prefix}${entry.name}${mark}`);
      const below = join(folder, entry.name);
      if (entry.isDirectory() && level < depth && entry.name !== '.git' && !isDenied(below))
        walk(below, `${prefix}${entry.name}/`, level + 1);
    }
  };
  walk(placeOf(path, roots), '', 1);
  const more = isCut ? [`(only the first ${MAX_ENTRIES} are listed)`] : [];
  return { isError: false, text: [...lines, ...more].join('\n') || '(empty)' };
}

/** Names in order; a folder below that may not be read is an empty one. */
export function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    return [];
  }
}

/** Neither follows a link that came since, nor waits for a FIFO. */
export function readRegular(file: string, path: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new Error(`${path} is a folder: fs_list lists it`);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    if (stat.size > MAX_FILE_BYTES)
      throw new Error(`${path} has ${stat.size} bytes, at most ${MAX_FILE_BYTES} are read`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function writeRegular(file: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_TRUNC } = constants;
  const descriptor = openSync(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_TRUNC, 0o666);
  try {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  } finally {
    closeSync(descriptor);
  }
}
