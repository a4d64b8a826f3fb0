import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalEntry } from '../engine/events.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';

/**
 * Makes sure that a large result is what its event says before the event is committed: the file is hashed again.
 * The folder is the instance's, the hand is the supervisor's: no links are followed, only a regular file with one
 * name is read. Throws INTERNAL naming the step.
 */
export async function checkBlob(folder: string, { event }: JournalEntry): Promise<void> {
  if (event.type !== 'step.completed' && event.type !== 'step.handled') return;
  const { result } = event;
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return;
  const { $blob: hash } = result;
  if (typeof hash !== 'string' || Object.keys(result).length !== 2) return;
  const refuse = (why: string): never => {
    throw new WorkflowError('INTERNAL', `the stored result of step ${event.path} ${why}`);
  };
  if (!/^[0-9a-f]{64}$/.test(hash)) refuse('has a name that is no hash');
  let actual: string;
  try {
    actual = await hashFile(join(folder, `blob-${hash}.json`));
  } catch (error) {
    return refuse(`cannot be read: ${ensureError(error).message}`);
  }
  if (actual !== hash) refuse('is not what its hash says');
}

async function hashFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.nlink !== 1) throw new Error('it is no regular file with one name');
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}
