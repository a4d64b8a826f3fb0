import { TextDecoder } from 'node:util';
import { canonicalJson } from '../audit/canonical.ts';
import type { AuditEntry } from '../audit/record.ts';

/** The content of a spool: its records, and the bytes of the lines that are none. */
export interface SpoolContent {
  readonly records: readonly AuditEntry[];
  readonly rejected: Buffer;
  readonly rejectedCount: number;
}

const KEYS = ['type', 'at', 'actor', 'instance', 'data', 'payload'] as const;
const ACTORS: readonly unknown[] = [
  'supervisor',
  'instance',
  'person',
] satisfies AuditEntry['actor']['kind'][];
const NEWLINE = 10;

/** Tells records from what a crash cut or a hand wrote. Never throws: nothing in a spool may hold up the daemon. */
export function readSpool(bytes: Buffer): SpoolContent {
  const records: AuditEntry[] = [];
  const rejected: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, from);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(from, end);
    from = end + 1;
    if (line.length === 0) continue;
    const record = asRecord(line);
    if (record === null) rejected.push(line, Buffer.from('\n'));
    else records.push(record);
  }
  return { records, rejected: Buffer.concat(rejected), rejectedCount: rejected.length / 2 };
}

function asRecord(line: Buffer): AuditEntry | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
    if (!isRecord(value)) return null;
    // What the chain cannot write (a number beyond all bounds, a nesting beyond the stack) must not reach its thread.
    canonicalJson(value);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return null;
    throw error;
  }
}

/** Only the keys of a record: one more could stand for what the chain itself adds. */
function isRecord(value: unknown): value is AuditEntry {
  if (!isObject(value) || Object.keys(value).some((key) => !KEYS.some((known) => known === key)))
    return false;
  const { type, at, actor, instance, data } = value;
  return (
    typeof type === 'string' &&
    Number.isSafeInteger(at) &&
    isObject(actor) &&
    ACTORS.includes(actor['kind']) &&
    typeof actor['id'] === 'string' &&
    (actor['uid'] === null || Number.isSafeInteger(actor['uid'])) &&
    (instance === null || typeof instance === 'string') &&
    isObject(data)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
