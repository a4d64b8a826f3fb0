import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AuditActor } from '../../audit/record.ts';
import { ensureError, systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { BACKUPS_KEPT, backupName, listBackups } from '../../protocol/backups.ts';
import { makePrivate } from '../../protocol/durable.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { BackupDocument } from '../../protocol/upkeep-control.ts';
import { backUp } from '../../store/backup.ts';
import { UNFINISHED } from '../../store/make-backup.ts';
import type { SupervisorContext } from '../context.ts';
import { diskOf, diskReserve } from './disk-guard.ts';

export interface Backups {
  /**
   * Makes a backup, records it, and removes those beyond the ones that are kept. `output` null: in their folder.
   * One at a time, the others wait. Rejects with STORE_FULL where it would not leave the disk its reserve.
   */
  make(output: string | null, actor: AuditActor): Promise<BackupDocument>;
  /** When the newest in the folder was made, UTC ms; that of the database where there is none. */
  lastAt(): number;
}

export function openBackups(context: SupervisorContext): Backups {
  const { home, store, now } = context;
  const { backupsFolder: folder, database } = home;
  let last: Promise<unknown> = Promise.resolve();

  const make = async (output: string | null, actor: AuditActor): Promise<BackupDocument> => {
    const at = now();
    const began = performance.now();
    if (output === null) {
      makePrivate(folder);
      removeUnfinished(folder);
    } else if (existsSync(output))
      throw new WorkflowError('USAGE', `the file ${output} is there already`, {
        hint: 'Name another file, or move that one away.',
      });
    const file = output ?? join(folder, backupName(at));
    checkRoom(database, dirname(file));
    const { bytes, sha256, audit } = await backUp({ database, target: file });
    const data = { file, bytes, sha256, head: audit };
    await store.call('audit.append', {
      entries: [{ type: 'store.backed_up', at, actor, instance: null, data }],
    });
    failpoint('backup.recorded');
    if (output === null) removeOld(context);
    const made_at = new Date(at).toISOString();
    return { file, made_at, bytes, sha256, audit, took_ms: Math.round(performance.now() - began) };
  };

  return {
    make: (output, actor) => {
      const made = last.then(() => make(output, actor));
      // Who asked for it hears of a failure; who waits behind it does not.
      last = made.catch(() => undefined);
      return made;
    },
    lastAt: () => {
      const [newest] = listBackups(folder, now());
      // One of the future tells nothing of when the next is due.
      return newest === undefined || newest.at > now() ? statSync(database).birthtimeMs : newest.at;
    },
  };
}

/** A copy is as large as the database at most. */
function checkRoom(database: string, folder: string): void {
  const needed = sizeOf(database) + sizeOf(`${database}-wal`);
  const { freeBytes, totalBytes } = diskOf(folder);
  const reserve = diskReserve(totalBytes);
  if (freeBytes - needed >= reserve) return;
  throw new WorkflowError(
    'STORE_FULL',
    `no room for a copy of the database in ${folder}: ${freeBytes} bytes are free, it needs ${needed}, and ${reserve} are kept free`,
  );
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** What a crash left; one at a time is made. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith('q-workflow-') && name.includes(`.db${UNFINISHED}`))
      rmSync(join(folder, name), { force: true });
}

function removeOld({ home, log, now }: SupervisorContext): void {
  for (const { file } of listBackups(home.backupsFolder, now()).slice(BACKUPS_KEPT))
    try {
      rmSync(file);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') continue;
      log.warn('an old backup could not be removed', { file, cause: ensureError(error).message });
    }
}
