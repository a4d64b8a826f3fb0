import { Worker } from 'node:worker_threads';
import { WorkflowError } from '../errors/workflow-error.ts';
import { programFile } from '../protocol/install.ts';
import type { FromBackupThread } from './backup-thread.ts';
import type { BackupFacts, BackupRequest } from './make-backup.ts';

/** Makes a backup in a thread of its own, with a connection of its own. Rejects with what `makeBackup` throws. */
export function backUp(request: BackupRequest): Promise<BackupFacts> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(programFile('store/backup-thread'), { workerData: request });
    worker.once('message', (message: FromBackupThread) => {
      if ('facts' in message) resolve(message.facts);
      else reject(WorkflowError.fromRecord(message.error));
    });
    worker.once('error', (error) =>
      reject(new WorkflowError('INTERNAL', `the backup thread failed: ${error}`, { cause: error })),
    );
    worker.once('exit', () => reject(new WorkflowError('INTERNAL', 'the backup thread left without a word')));
  });
}
