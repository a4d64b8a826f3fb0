import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';

/** The variable that names the anchor file of a home. */
export const ANCHOR_VARIABLE = 'Q_WORKFLOW_ANCHOR';

/**
 * Where the anchor of a log goes: outside of the state folder, or who gets at the one gets at the other. A service of
 * the system keeps it with the logs.
 */
export function anchorPath(home: string, log: string, env: NodeJS.ProcessEnv): string {
  if (env[ANCHOR_VARIABLE]) return resolve(env[ANCHOR_VARIABLE]);
  return join(anchorFolder(home, env), `${log}.jsonl`);
}

function anchorFolder(home: string, env: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0 && home.startsWith('/var/lib/')) return '/var/log/q-workflow/anchors';
  const data = env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local', 'share');
  return join(data, 'q-workflow', 'anchors');
}

/** What of the anchors no step is to see: their folder, or the file that somebody put elsewhere. */
export function anchorPlace(home: string, env: NodeJS.ProcessEnv): string {
  return env[ANCHOR_VARIABLE] ? resolve(env[ANCHOR_VARIABLE]) : anchorFolder(home, env);
}

/** The text of an anchor file; null when there is none. */
export function readAnchor(file: string): string | null {
  return readWith(file, (descriptor) => readFileSync(descriptor, 'utf8'));
}

/** What an anchor file begins and ends with, in whole lines; `begin` is empty where `end` is all of it. */
export interface AnchorEnds {
  readonly begin: string;
  readonly end: string;
}

/** Reads no more than so many bytes at each end: an anchor grows for years. Null when there is none. */
export function readAnchorEnds(file: string, bytes: number): AnchorEnds | null {
  return readWith(file, (descriptor, size) => {
    if (size <= 2 * bytes) return { begin: '', end: readFileSync(descriptor, 'utf8') };
    const begin = piece(descriptor, 0, bytes);
    const end = piece(descriptor, size - bytes, bytes);
    return { begin: begin.slice(0, begin.lastIndexOf('\n') + 1), end: end.slice(end.indexOf('\n') + 1) };
  });
}

function piece(descriptor: number, from: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, bytes, from));
}

function readWith<T>(file: string, read: (descriptor: number, size: number) => T): T | null {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw new Error(`the anchor ${file} is not a regular file`);
      return read(descriptor, stat.size);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Appends to an anchor file, which is made when it is missing; on the disk when it resolves. Not the synchronous calls:
 * a busy disk takes its time for a sync, and the supervisor has other things to do.
 */
export async function appendAnchor(file: string, text: string): Promise<void> {
  const isNew = lstatSync(file, { throwIfNoEntry: false }) === undefined;
  if (isNew) makeFolders(dirname(file));
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  await withFile(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, (handle) => handle.appendFile(text));
  if (isNew) await withFile(dirname(file), constants.O_RDONLY, async () => undefined);
}

/** Opens, acts, syncs and closes. */
async function withFile(
  path: string,
  flags: number,
  act: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await act(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Not by the `recursive` of mkdirSync: below some folders, as /proc, it tries for ever (Node 24.21). */
function makeFolders(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    if (systemCode(error) !== 'ENOENT' || existsSync(dirname(folder))) throw error;
    makeFolders(dirname(folder));
    makeFolders(folder);
  }
}
