import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../definition/workflow.ts';
import type { RunEvent } from '../engine/events.ts';
import { WorkflowError } from '../errors/workflow-error.ts';

/** Results whose JSON is longer go to a file of their own; the journal holds their hash. */
export const MAX_INLINE_BYTES = 256 * 1024;

interface BlobRef {
  readonly $blob: string;
  readonly bytes: number;
}

/** The event as the journal takes it: a large result is written (and synced) to a file named by its SHA-256. */
export function externalise(folder: string, event: RunEvent): RunEvent {
  if (event.type !== 'step.completed' && event.type !== 'step.handled') return event;
  const text = JSON.stringify(event.result);
  if (text.length <= MAX_INLINE_BYTES) return event;
  const hash = createHash('sha256').update(text).digest('hex');
  const final = join(folder, `blob-${hash}.json`);
  const file = openSync(`${final}.tmp`, 'w', 0o600);
  try {
    // Not writeSync: on a disk that is nearly full it may write a part and say so only by its result.
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${final}.tmp`, final);
  return { ...event, result: { $blob: hash, bytes: Buffer.byteLength(text) } };
}

/** The event as the engine takes it: the result read back and checked. Throws INTERNAL when the file is not what it was. */
export function internalise(folder: string, event: RunEvent): RunEvent {
  if ((event.type !== 'step.completed' && event.type !== 'step.handled') || !isBlobRef(event.result))
    return event;
  const text = readFileSync(join(folder, `blob-${event.result.$blob}.json`), 'utf8');
  if (createHash('sha256').update(text).digest('hex') !== event.result.$blob)
    throw new WorkflowError('INTERNAL', `the stored result of step ${event.path} is damaged`);
  return { ...event, result: JSON.parse(text) as Json };
}

function isBlobRef(value: Json): value is Json & BlobRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeof value['$blob'] === 'string' &&
    typeof value['bytes'] === 'number' &&
    Object.keys(value).length === 2
  );
}
