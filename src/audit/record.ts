import type { RunEvent } from '../engine/events.ts';
import { canonicalJson, sha256 } from './canonical.ts';

/** Who did or asked for what is recorded. */
export interface AuditActor {
  readonly kind: 'supervisor' | 'instance' | 'person';
  readonly id: string;
  readonly uid: number | null;
}

/** What a writer wants recorded; log id, number, time and hash are added when it is appended. */
export interface AuditEntry {
  readonly type: string;
  readonly at: number;
  readonly actor: AuditActor;
  readonly instance: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Format of the body; a verifier refuses one it does not know. */
export const AUDIT_VERSION = 1;

/** The canonical text that is hashed and stored. */
export function auditBody(entry: AuditEntry, log: string, seq: number, boot: string): string {
  return canonicalJson({ v: AUDIT_VERSION, log, seq, boot, ...entry });
}

/** The chain: each record's hash covers the one before it. `previous` of the first record is the hash of the log id. */
export function chainHash(previous: string, body: string): string {
  return sha256(previous + body);
}

export function genesisHash(log: string): string {
  return sha256(`q-workflow audit log ${log}`);
}

/** The record of a journal event: its facts, with results and inputs as hash and size, never as text. */
export function auditOfEvent(event: RunEvent): { type: string; data: Record<string, unknown> } {
  switch (event.type) {
    case 'run.started':
      return { type: event.type, data: { inputs: digest(event.inputs), context: digest(event.context) } };
    case 'step.started':
      return {
        type: event.type,
        data: {
          path: event.path,
          step_type: event.stepType,
          attempt: event.attempt,
          ...(event.inputs === undefined ? {} : { inputs: digest(event.inputs) }),
        },
      };
    case 'step.completed':
      return {
        type: event.type,
        data: {
          path: event.path,
          attempt: event.attempt,
          result: digest(event.result),
          writes: Object.keys(event.writes),
        },
      };
    case 'step.handled':
      return {
        type: event.type,
        data: { path: event.path, handler: event.handler, result: digest(event.result) },
      };
    default: {
      const { type, ...data } = event;
      return { type, data };
    }
  }
}

function digest(value: unknown): { sha256: string; bytes: number } {
  const text = canonicalJson(value);
  return { sha256: sha256(text), bytes: Buffer.byteLength(text) };
}

/** The daemon itself, as the actor of a record. */
export const SUPERVISOR: AuditActor = {
  kind: 'supervisor',
  id: 'supervisor',
  uid: process.getuid?.() ?? null,
};

/** The record that goes with a journal event. */
export function eventRecord(instance: string, at: number, event: RunEvent, actor: AuditActor): AuditEntry {
  return { ...auditOfEvent(event), at, actor, instance };
}
