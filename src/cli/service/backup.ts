import { resolve } from 'node:path';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { BACKUP_EVERY_MS, listBackups } from '../../protocol/backups.ts';
import { type Home, locateHome, prepareHome } from '../../protocol/home.ts';
import { takeLock } from '../../protocol/lock.ts';
import type { BackupDocument } from '../../protocol/upkeep-control.ts';
import type { RestoreDocument } from '../../store/restore.ts';
import type { HealthRow } from '../health/health-row.ts';
import { bytes, plural } from '../text/style.ts';

/** Puts a backup in place, where no supervisor runs. Throws SUPERVISOR_RUNNING. */
export async function restoreHere(file: string, person: string): Promise<RestoreDocument> {
  const home = locateHome();
  prepareHome(home);
  const lock = takeLock(home.lockFile);
  if (lock === null)
    throw new WorkflowError(
      'SUPERVISOR_RUNNING',
      `a supervisor runs and has the database of ${home.folder}`,
      {
        hint: 'Run q workflow supervisor stop (a service: systemctl stop q-workflow), then this again.',
      },
    );
  try {
    const { restoreBackup } = await import('../../store/restore.ts');
    const actor = { kind: 'person', id: person, uid: process.getuid?.() ?? null } as const;
    return restoreBackup(home, resolve(file), { actor, at: Date.now(), env: process.env });
  } finally {
    lock.release();
  }
}

export function backupText({ file, bytes: size, audit, took_ms }: BackupDocument): string {
  return `${file}\n  ${bytes(size)}, checked, up to record ${audit.seq} of the audit log, ${took_ms} ms`;
}

export function restoreText(done: RestoreDocument): string {
  const { backup, audit, lacks, anchored_through, has_key, replaced } = done;
  const lines = [
    `restored ${backup}: up to record ${audit.seq} of the audit log`,
    lacks === null
      ? anchored_through === null
        ? '  the anchor has nothing of this log: nobody can tell what it lacks'
        : '  it has all that the anchor knows of'
      : `  it lacks ${plural(lacks.last - lacks.first + 1, 'record')}, ${lacks.first} to ${lacks.last}, and what they speak of; q workflow audit verify says so from now on`,
  ];
  if (!has_key) lines.push('  the key of its log is not here: a new one is made at the next start');
  lines.push(
    replaced === null ? '  there was no database' : `  the replaced database is in ${replaced}`,
    '  next: q workflow supervisor start',
  );
  return lines.join('\n');
}

const FIX = 'q workflow supervisor backup';

/** When the last backup was. One that is a day late says that the supervisor does not come to it. */
export function backupRow(home: Home, hasDatabase: boolean, now: number): HealthRow {
  const name = 'backup';
  const [last] = listBackups(home.backupsFolder, now);
  if (last === undefined) {
    const detail = 'none was made yet; the supervisor makes one a day';
    return hasDatabase
      ? { name, state: 'missing', detail, fix: FIX }
      : { name, state: 'ok', detail, fix: null };
  }
  if (last.at > now) {
    const detail = `the last one is of ${new Date(last.at).toISOString()}, which is yet to come: the clock was ahead, or is behind`;
    return { name, state: 'missing', detail, fix: FIX };
  }
  const hours = Math.floor((now - last.at) / 3_600_000);
  const detail = `the last one is of ${new Date(last.at).toISOString()} (${hours} h ago), ${bytes(last.bytes)}`;
  return now - last.at > 2 * BACKUP_EVERY_MS
    ? { name, state: 'missing', detail, fix: FIX }
    : { name, state: 'ok', detail, fix: null };
}
