import { existsSync } from 'node:fs';
import { otherLogs } from '../../audit/keys.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { type BackupFile, listBackups } from '../../protocol/backups.ts';
import type { Home } from '../../protocol/home.ts';
import { checkFile } from '../../store/store-file.ts';

/**
 * Throws STORE_CORRUPT where the database is gone and a backup of it is there: an empty one in its place would look as
 * if nothing had ever run. Without a backup there is nothing to offer, and a new one is what is wanted.
 */
export function refuseMissing(home: Home): void {
  if (existsSync(home.database) || otherLogs(home.keysFolder, null).length === 0) return;
  const good = newestGood(home);
  if (good === null) return;
  throw new WorkflowError('STORE_CORRUPT', `the database ${home.database} is gone`, {
    hint: `To begin with an empty one, move the folder ${home.backupsFolder} away. ${restoreHint(good)}`,
  });
}

/** The error of a database that cannot be used, with the newest backup that can; any other error as it is. */
export function offerBackup(home: Home, error: unknown): unknown {
  if (!(error instanceof WorkflowError) || error.code !== 'STORE_CORRUPT') return error;
  const good = newestGood(home);
  if (good === null) return error;
  return new WorkflowError('STORE_CORRUPT', error.message, { hint: restoreHint(good), cause: error });
}

function restoreHint({ at, file }: BackupFile): string {
  return `The newest good backup is of ${new Date(at).toISOString()}: q workflow supervisor restore ${file}`;
}

function newestGood(home: Home): BackupFile | null {
  return listBackups(home.backupsFolder, Date.now()).find(({ file }) => isGood(file)) ?? null;
}

function isGood(file: string): boolean {
  try {
    checkFile(file);
    return true;
  } catch {
    // Whatever is wrong with it, it is not the one to offer.
    return false;
  }
}
