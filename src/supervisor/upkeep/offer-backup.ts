import { WorkflowError } from '../../errors/workflow-error.ts';
import { type BackupFile, listBackups } from '../../protocol/backups.ts';
import type { Home } from '../../protocol/home.ts';
import { checkFile } from '../../store/store-file.ts';

/** The error of a database that cannot be used, with the newest backup that can; any other error as it is. */
export function offerBackup(home: Home, error: unknown): unknown {
  if (!(error instanceof WorkflowError) || error.code !== 'STORE_CORRUPT') return error;
  const good = newestGood(home);
  if (good === null) return error;
  const hint = `The newest good backup is of ${new Date(good.at).toISOString()}: q workflow supervisor restore ${good.file}`;
  return new WorkflowError('STORE_CORRUPT', error.message, { hint, cause: error });
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
