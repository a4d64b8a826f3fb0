import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { type AnchoredCheckpoint, parseAnchor } from '../audit/anchor.ts';
import { anchorPath, readAnchor } from '../audit/anchor-file.ts';
import { isSignedBy, keyFile } from '../audit/keys.ts';
import type { AuditActor, AuditEntry } from '../audit/record.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { makePrivate, syncPath } from '../protocol/durable.ts';
import { failpoint } from '../protocol/failpoint.ts';
import type { Home } from '../protocol/home.ts';
import { stamp } from '../protocol/stamp.ts';
import { type BackupFacts, makeBackup } from './make-backup.ts';

export interface RestoreDocument {
  readonly backup: string;
  readonly bytes: number;
  readonly audit: BackupFacts['audit'];
  /** The last record that the anchor vouches for; null when it has none of this log. */
  readonly anchored_through: number | null;
  /** Records that the anchor knows of and the backup has not. */
  readonly lacks: { readonly first: number; readonly last: number } | null;
  /** The key that signs the log of the backup is here; else a new one is made, and `audit verify` doubts it. */
  readonly has_key: boolean;
  /** Where the replaced database is now; null when there was none. */
  readonly replaced: string | null;
}

/** Suffixes of the files that a database consists of. */
const PARTS = ['', '-wal', '-shm'];

/** The database that is to be put in place; a restore that began and did not end is known by it. */
const INCOMING = /^restoring-(\d{8}T\d{9}Z)\.db$/;

/**
 * Puts a backup in the place of the database, which is kept beside it. Call it under the home's lock. Throws what
 * `makeBackup` throws of a file that cannot be used: then nothing has changed.
 */
export function restoreBackup(
  home: Home,
  file: string,
  by: { readonly actor: AuditActor; readonly at: number; readonly env: NodeJS.ProcessEnv },
): RestoreDocument {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new WorkflowError('USAGE', `there is no file ${file}`, {
      hint: `Backups are in ${home.backupsFolder}.`,
    });
  finishRestore(home);
  const name = `restoring-${stamp(by.at)}`;
  // Copied the way that a backup is made: checked, without a log of its own, and the backup stays what it is.
  const hidden = join(home.folder, `${name}.new`);
  const { bytes, sha256, audit } = makeBackup({ database: file, target: hidden });
  const known = compare(home, audit, by.env);
  const isThere = PARTS.some((suffix) => existsSync(`${home.database}${suffix}`));
  const replaced = isThere ? asideOf(home, stamp(by.at)) : null;
  const data = { backup: file, bytes, sha256, head: audit, lacks: known.lacks, replaced };
  const entry: AuditEntry = { type: 'store.restored', at: by.at, actor: by.actor, instance: null, data };
  writeFileSync(noteOf(home, name), `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  syncPath(noteOf(home, name));
  renameSync(hidden, join(home.folder, `${name}.db`));
  syncPath(home.folder);
  failpoint('restore.copied');
  finishRestore(home);
  return { backup: file, bytes, audit, ...known, replaced };
}

/**
 * Ends a restore that was begun, wherever a crash left it; true when there was one. Call it under the home's lock,
 * before the database is opened. Its record goes to the spool, and is there twice where the crash fell behind it.
 */
export function finishRestore(home: Home): boolean {
  const names = readdirSync(home.folder);
  for (const name of names)
    if (/^restoring-\d{8}T\d{9}Z\.new/.test(name)) rmSync(join(home.folder, name), { force: true });
  const incoming = names.find((name) => INCOMING.test(name));
  if (incoming !== undefined) put(home, incoming);
  // Of a restore that never began, or has ended.
  for (const name of names)
    if (/^restoring-\d{8}T\d{9}Z\.json$/.test(name)) rmSync(join(home.folder, name), { force: true });
  return incoming !== undefined;
}

function put(home: Home, incoming: string): void {
  const [, time = ''] = INCOMING.exec(incoming) ?? [];
  const aside = asideOf(home, time);
  // The three belong together. As long as the new one waits beside them, nobody opens what is left of them.
  for (const suffix of PARTS) {
    const part = `${home.database}${suffix}`;
    if (!existsSync(part)) continue;
    makePrivate(aside);
    renameSync(part, freeName(join(aside, basename(part))));
    syncPath(aside);
  }
  syncPath(home.folder);
  failpoint('restore.aside');
  const note = noteOf(home, `restoring-${time}`);
  if (existsSync(note)) {
    // On a line of its own: a crash may have cut the one before.
    appendFileSync(home.spoolFile, `\n${readFileSync(note, 'utf8')}`, { mode: 0o600 });
    syncPath(home.spoolFile);
  }
  renameSync(join(home.folder, incoming), home.database);
  syncPath(home.folder);
  failpoint('restore.placed');
}

/** Never over a file that was put aside before. */
function freeName(file: string): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? file : `${file}.${count}`;
    if (!existsSync(name)) return name;
  }
}

function asideOf(home: Home, time: string): string {
  return join(home.folder, `replaced-${time}`);
}

function noteOf(home: Home, name: string): string {
  return join(home.folder, `${name}.json`);
}

function compare(
  home: Home,
  { log, seq }: BackupFacts['audit'],
  env: NodeJS.ProcessEnv,
): Pick<RestoreDocument, 'anchored_through' | 'lacks' | 'has_key'> {
  if (log === null) return { anchored_through: null, lacks: null, has_key: false };
  const text = readAnchor(anchorPath(home.folder, log, env)) ?? '';
  // Signatures take their time, and one tells how far the log went.
  const { checkpoints } = parseAnchor(text, log, () => true);
  const isSigned = ({ says, body, signature }: AnchoredCheckpoint): boolean =>
    isSignedBy(says.key, body, signature);
  const last = checkpoints.toSorted((one, other) => other.seq - one.seq).find(isSigned)?.seq ?? null;
  return {
    anchored_through: last,
    lacks: last === null || last <= seq ? null : { first: seq + 1, last },
    has_key: existsSync(keyFile(home.keysFolder, log)),
  };
}
