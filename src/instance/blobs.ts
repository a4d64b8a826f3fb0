import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../definition/workflow.ts';
import type { AgentEvent } from '../engine/agent-events.ts';
import type { RunEvent } from '../engine/events.ts';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';

/** Values whose JSON is longer go to a file of their own; the journal holds their hash. */
export const MAX_INLINE_BYTES = 256 * 1024;
/** When what one event writes to the context is longer in all, each value from this length on goes to a file. */
const SMALL_BYTES = 4096;

interface BlobRef {
  readonly $blob: string;
  readonly bytes: number;
}

/**
 * The event as the journal takes it: a large result, context value or set of inputs is written (and synced) to a file
 * named by its SHA-256. So an event is short, whatever steps hand to each other.
 */
export function externalise(folder: string, event: RunEvent): RunEvent {
  if (event.type === 'step.handled')
    return { ...event, result: pack(folder, event.result, MAX_INLINE_BYTES) };
  if (event.type === 'step.completed')
    return {
      ...event,
      result: pack(folder, event.result, MAX_INLINE_BYTES),
      writes: packWrites(folder, event.writes),
    };
  if (event.type === 'agent.answered')
    return { ...event, message: pack(folder, event.message, MAX_INLINE_BYTES) };
  if (event.type === 'agent.tool_ended')
    return { ...event, result: pack(folder, event.result, MAX_INLINE_BYTES) };
  if (event.type !== 'step.started' || event.inputs === undefined) return event;
  return { ...event, inputs: packObject(folder, event.inputs) };
}

/** Attempts that waited for a person, as `path#attempt`: they go on with the inputs that they began with. */
export function heldAttempts(journal: readonly { readonly event: RunEvent }[]): ReadonlySet<string> {
  return new Set(
    journal.flatMap(({ event }) =>
      event.type === 'step.suspended' ? [`${event.path}#${event.attempt}`] : [],
    ),
  );
}

/**
 * The event as the engine takes it: values read back and checked. Inputs stay as they are, but for those of held
 * attempts: they are a record, a new attempt fills them in anew. Throws INTERNAL when a file is gone or not what it
 * was.
 */
export function internalise(folder: string, event: RunEvent, held: ReadonlySet<string>): RunEvent {
  if (
    event.type === 'step.started' &&
    event.inputs !== undefined &&
    held.has(`${event.path}#${event.attempt}`)
  )
    return { ...event, inputs: unpack(folder, event.path, event.inputs) as JsonObject };
  if (event.type === 'step.handled') return { ...event, result: unpack(folder, event.path, event.result) };
  if (event.type !== 'step.completed') return event;
  const writes = Object.entries(event.writes).map(([name, value]) => [
    name,
    unpack(folder, event.path, value),
  ]);
  return { ...event, result: unpack(folder, event.path, event.result), writes: Object.fromEntries(writes) };
}

/** The same for what an agent was told: read when its conversation goes on, not by the engine. */
export function internaliseAgent(folder: string, event: AgentEvent): AgentEvent {
  if (event.type === 'agent.answered')
    return { ...event, message: unpack(folder, event.path, event.message) };
  if (event.type === 'agent.tool_ended')
    return { ...event, result: unpack(folder, event.path, event.result) };
  return event;
}

function packWrites(folder: string, writes: JsonObject): JsonObject {
  const entries = Object.entries(writes);
  if (entries.length === 0) return writes;
  const maxBytes = JSON.stringify(writes).length > MAX_INLINE_BYTES ? SMALL_BYTES : MAX_INLINE_BYTES;
  return Object.fromEntries(entries.map(([name, value]) => [name, pack(folder, value, maxBytes)]));
}

function packObject(folder: string, value: JsonObject): JsonObject {
  const packed = pack(folder, value, MAX_INLINE_BYTES);
  return typeof packed === 'object' && packed !== null && !Array.isArray(packed) ? packed : value;
}

function pack(folder: string, value: Json, maxBytes: number): Json {
  const text = JSON.stringify(value);
  // What a skill made look like a reference of ours goes to a file too: it must come back as it was.
  if (text.length <= maxBytes && !isBlobRef(value)) return value;
  const hash = sha256(text);
  const final = blobFile(folder, hash);
  // A file of that name is whole and durable: it got its name last.
  if (!existsSync(final)) write(folder, final, text);
  return { $blob: hash, bytes: Buffer.byteLength(text) };
}

/** Removes what an earlier process of the instance left that was killed while it wrote a file: it may be large. */
export function sweepBlobs(folder: string): void {
  for (const name of readdirSync(folder))
    if (/^blob-[0-9a-f]{64}\.json\.tmp$/.test(name)) rmSync(join(folder, name), { force: true });
}

function write(folder: string, final: string, text: string): void {
  try {
    const file = openSync(`${final}.tmp`, 'w', 0o600);
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${final}.tmp`, final);
  } catch (error) {
    // On a full disk the half of it would take the room that the journal needs.
    rmSync(`${final}.tmp`, { force: true });
    throw error;
  }
  sync(folder);
}

/** Without it a power cut may take the name of a file that the journal speaks of already (fsync(2)). */
function sync(folder: string): void {
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function unpack(folder: string, path: string, value: Json): Json {
  if (!isBlobRef(value)) return value;
  const text = readBlob(blobFile(folder, value.$blob), path);
  if (sha256(text) !== value.$blob)
    throw new WorkflowError('INTERNAL', `the stored result of step ${path} is damaged`);
  return JSON.parse(text) as Json;
}

function readBlob(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WorkflowError(
      'INTERNAL',
      `the stored result of step ${path} cannot be read: ${systemCode(error)}`,
      {
        cause: error,
      },
    );
  }
}

function blobFile(folder: string, hash: string): string {
  return join(folder, `blob-${hash}.json`);
}

/** True for what stands in the journal for a value that lies in a file. */
export function isBlobRef(value: Json): value is Json & BlobRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeof value['$blob'] === 'string' &&
    /^[0-9a-f]{64}$/.test(value['$blob']) &&
    typeof value['bytes'] === 'number' &&
    Object.keys(value).length === 2
  );
}

/** Loaded at the first large value: node:crypto costs 11 ms, a tenth of an instance's start. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
