import { createHash } from 'node:crypto';
import type { Json } from '../../definition/workflow.ts';
import type { JournalEntry } from '../../engine/events.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { asBlobRef, isHash, openBlob } from './blob-file.ts';

/**
/**
 * Makes sure that large values are what their event says before the event is committed: each file is hashed again.
 * Throws INTERNAL naming the step.
 */
export async function checkBlob(folder: string, { event }: JournalEntry): Promise<void> {
  if (event.type === 'agent.answered')
    return checkValue(folder, event.message, `the stored answer to step ${event.path}`);
  if (event.type === 'agent.tool_ended')
    return checkValue(folder, event.result, `the stored result of a tool of step ${event.path}`);
  if (event.type !== 'step.completed' && event.type !== 'step.handled') return;
  await checkValue(folder, event.result, `the stored result of step ${event.path}`);
  if (event.type === 'step.handled') return;
  for (const [name, value] of Object.entries(event.writes))
    await checkValue(folder, value, `the stored context value ${name} of step ${event.path}`);
}

async function checkValue(folder: string, value: Json, what: string): Promise<void> {
  const ref = asBlobRef(value);
  if (ref === null) return;
  const refuse = (why: string): never => {
    throw new WorkflowError('INTERNAL', `${what} ${why}`);
  };
  if (!isHash(ref.$blob)) refuse('has a name that is no hash');
  let actual: string;
  try {
    actual = await hashFile(folder, ref.$blob);
  } catch (error) {
    return refuse(`cannot be read: ${ensureError(error).message}`);
  }
  if (actual !== ref.$blob) refuse('is not what its hash says');
}

async function hashFile(folder: string, name: string): Promise<string> {
  const { handle } = await openBlob(folder, name);
  try {
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}
