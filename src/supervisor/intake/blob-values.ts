import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { asBlobRef, type BlobRef, isHash, openBlob } from './blob-file.ts';

/** A document takes in values from files while they have no more than this together. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The document with the outputs and context values that lie in files, when all of them together are small enough;
 * else it keeps the references, `{"$blob": "<sha256>", "bytes": n}`. One that is not what it was gets a `problem`.
 * Never rejects.
 */
export async function withValues<T extends Pick<StatusDocument, 'steps' | 'context'>>(
  folder: string,
  document: T,
): Promise<T> {
  const places = [...document.steps.map(({ outputs }) => outputs), ...Object.values(document.context)];
  const refs = places.flatMap((value) => referenceIn(value) ?? []);
  const total = refs.reduce((sum, { bytes }) => sum + bytes, 0);
  if (refs.length === 0 || total > MAX_BYTES) return document;
  const values = new Map<string, Json>();
  // One after the other: the memory for one document is bounded, whatever is asked for at once.
  for (const ref of refs) if (!values.has(ref.$blob)) values.set(ref.$blob, await valueAt(folder, ref));
  const resolved = (value: Json): Json => {
    const ref = referenceIn(value);
    return ref === null ? value : (values.get(ref.$blob) ?? value);
  };
  return {
    ...document,
    steps: document.steps.map((step) => ({ ...step, outputs: resolved(step.outputs) })),
    context: mapValues(document.context, resolved),
  };
}

function referenceIn(value: Json): BlobRef | null {
  const ref = asBlobRef(value);
  return ref !== null && isHash(ref.$blob) && Number.isSafeInteger(ref.bytes) && ref.bytes >= 0 ? ref : null;
}

async function valueAt(folder: string, ref: BlobRef): Promise<Json> {
  try {
    return await readValue(folder, ref);
  } catch (error) {
    // Not every value of that form is a reference: a context may be declared so.
    if (systemCode(error) === 'ENOENT') return { ...ref };
    return { ...ref, problem: ensureError(error).message };
  }
}

async function readValue(folder: string, { $blob: hash, bytes }: BlobRef): Promise<Json> {
  const blob = await openBlob(folder, hash);
  try {
    if (blob.bytes !== bytes) throw new Error('it has not the size that was recorded');
    const buffer = Buffer.alloc(bytes);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes; length += count)
      count = (await blob.handle.read(buffer, length, bytes - length, length)).bytesRead;
    const text = buffer.subarray(0, length);
    if (createHash('sha256').update(text).digest('hex') !== hash)
      throw new Error('it is not what its hash says');
    return JSON.parse(text.toString('utf8')) as Json;
  } finally {
    await blob.handle.close();
  }
}

function mapValues(object: JsonObject, map: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
