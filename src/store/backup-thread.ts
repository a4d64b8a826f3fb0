/** Entry of the thread that makes one backup: copying a large database takes seconds, and nobody waits for it. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, ensureWorkflowError } from '../errors/workflow-error.ts';
import { type BackupFacts, type BackupRequest, makeBackup } from './make-backup.ts';

export type FromBackupThread = { readonly facts: BackupFacts } | { readonly error: ErrorRecord };

const port = parentPort;
if (port === null) throw new Error('the backup thread is started by the store');
try {
  // Started only by `backup.ts`, with a request.
  const facts = makeBackup(workerData as BackupRequest);
  port.postMessage({ facts } satisfies FromBackupThread);
} catch (error) {
  port.postMessage({ error: ensureWorkflowError(error).toRecord() } satisfies FromBackupThread);
}
