import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
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
  const hash = sha256(text);
  const final = join(folder, `blob-${hash}.json`);
  const file = openSync(`${final}.tmp`, 'w', 0o600);
  try {
    writeSync(file, text);
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
  if (sha256(text) !== event.result.$blob)
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

/** Loaded at the first large result: node:crypto costs 11 ms, a tenth of an instance's start. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
