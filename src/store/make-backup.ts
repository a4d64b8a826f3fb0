import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncPath } from '../protocol/durable.ts';
import { failpoint } from '../protocol/failpoint.ts';
import { checkPages, storeError } from './store-file.ts';
import { checkVersion } from './tables/migrations.ts';

export interface BackupRequest {
  /** The database to copy, with what is in its write-ahead log; it may be in use. */
  readonly database: string;
  /** The file to make; one of that name is replaced. */
  readonly target: string;
}

export interface BackupFacts {
  readonly bytes: number;
  readonly sha256: string;
  /** The end of the audit chain in it. `seq` 0: there is no record. */
  readonly audit: { readonly log: string | null; readonly seq: number; readonly hash: string | null };
}

/** Beside the target while it is made; a crash may leave it. Such a file can only be ours: it is replaced. */
export const UNFINISHED = '.q-workflow-unfinished';

/**
 * Copies a database as it is at one moment, by a connection that only reads: the writer goes on. The file has its
 * name (mode 0600) only when it is whole, checked and on the disk. Takes as long as reading and writing it: not for
 * the main thread. Throws STORE_FULL, STORE_CORRUPT or HOME_UNWRITABLE; nothing is left then.
 */
export function makeBackup({ database, target }: BackupRequest): BackupFacts {
  const fresh = `${target}${UNFINISHED}`;
  try {
    rmSync(fresh, { force: true });
    // SQLite writes into an empty file; the mode is ours from the first byte on.
    writeFileSync(fresh, '', { mode: 0o600, flag: 'wx' });
    copy(database, fresh);
    failpoint('backup.written');
    chmodSync(fresh, 0o600);
    const audit = check(fresh);
    syncPath(fresh);
    const facts = { bytes: statSync(fresh).size, sha256: hashFile(fresh), audit };
    renameSync(fresh, target);
    syncPath(dirname(target));
    failpoint('backup.placed');
    return facts;
  } catch (error) {
    for (const suffix of ['', '-journal']) rmSync(`${fresh}${suffix}`, { force: true });
    throw storeError(error, `cannot copy the database ${database} to ${target}`);
  }
}

function copy(from: string, to: string): void {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    checkVersion(source);
    source.prepare('VACUUM INTO ?').run(to);
  } finally {
    source.close();
  }
}

/** Reads every page of the copy, and where its audit chain ends. */
function check(file: string): BackupFacts['audit'] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    checkVersion(database);
    checkPages(database);
    const log = database.prepare("SELECT value FROM meta WHERE key = 'audit_log'").get()?.['value'];
    const head = database.prepare('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get();
    return {
      log: typeof log === 'string' ? log : null,
      seq: Number(head?.['seq'] ?? 0),
      hash: head === undefined ? null : String(head['hash']),
    };
  } finally {
    database.close();
  }
}

/** SHA-256 of a file's content, in hex; never holds more than a piece of it. */
export function hashFile(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(1024 * 1024);
  const descriptor = openSync(file, 'r');
  try {
    for (;;) {
      const count = readSync(descriptor, piece);
      if (count === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}
