import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';
import { readUnfinished } from '../protocol/durable-file.ts';
import type { Home } from '../protocol/home.ts';

/**
 * How many instances have not ended, by the database itself: no supervisor is needed, or may be asked by then. Throws
 * PURGE_REFUSED when it cannot be read: nobody knows then what still runs.
 */
export function liveInstances(home: Home): number {
  if (!existsSync(home.database)) return 0;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(home.database, { readOnly: true, timeout: 5000 });
    const row = database.prepare('SELECT count(*) AS live FROM instances WHERE ended_at IS NULL').get();
    return Number(row?.['live']);
  } catch (error) {
    throw new WorkflowError(
      'PURGE_REFUSED',
      `cannot tell what runs, as ${home.database} cannot be read: ${ensureError(error).message}`,
      { cause: error },
    );
  } finally {
    database?.close();
  }
}

/**
 * Removes what we keep in the state folder, and the folder where nothing else is in it. Answers what else is: a person
 * may have named a folder that holds more. The anchor of the audit log lies elsewhere and stays.
 */
export function purgeHome(home: Home): string[] {
  const known = new Set(Object.values(home).map((path) => basename(String(path))));
  const isOurs = (given: string): boolean => isNamedByUs(readUnfinished(given)?.file ?? given);
  const isNamedByUs = (name: string): boolean =>
    [...known].some((each) => name === each || SIDES.some((side) => name === each + side)) ||
    /^spool-[0-9a-f-]+\.jsonl$/.test(name) ||
    OTHERS.includes(name);
  const kept: string[] = [];
  // Cut short, it can be done again: the database goes first, whole, then what belongs to it; the note of the service
  // and the lock go last: until then no supervisor may start here.
  const last = [basename(home.serviceFile), basename(home.lockFile)];
  const rankOf = (name: string): number =>
    name === basename(home.database) ? -2 : last.findIndex((each) => name.startsWith(each));
  const names = readdirSync(home.folder).sort((a, b) => rankOf(a) - rankOf(b));
  for (const name of names)
    if (isOurs(name)) rmSync(join(home.folder, name), { recursive: true, force: true });
    else kept.push(name);
  if (kept.length === 0) rmdirSync(home.folder);
  return kept;
}

/** Files that SQLite puts beside a database, and the last one of a replacement that was cut short. */
const SIDES = ['-wal', '-shm', '-journal', '.new'];
const OTHERS = ['seccomp.bpf', 'seccomp.bpf.new', 'compile-cache'];
