import type { Json } from '../definition/workflow.ts';
import type { RunEvent } from '../engine/events.ts';
import type { AuditBinds } from './binds.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { severityOf } from './severity.ts';

/** Who did or asked for what is recorded. */
export interface AuditActor {
  readonly kind: 'supervisor' | 'instance' | 'person';
  readonly id: string;
  readonly uid: number | null;
  /** By what a program asked in a person's name; its own words. */
  readonly via?: string;
}

/** What a writer wants recorded; log id, number, time and hash are added when it is appended. */
export interface AuditEntry {
  readonly type: string;
  readonly at: number;
  readonly actor: AuditActor;
  readonly instance: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  /**
   * Content that goes to the side table, where it may be erased; the record holds its hash. Redacted already: what is
   * written here is kept until it is erased.
   */
  readonly payload?: Json;
}

/** Where in a log a record stands. */
export interface AuditPlace {
  readonly log: string;
  readonly seq: number;
  readonly boot: string;
  /** Monotonic clock of the machine, microseconds: orders records where the wall clock was set. */
  readonly monoUs: number;
}

/** Format of the body; a verifier refuses one it does not know. Version 1 had no seal, binds, severity and mono_us. */
export const AUDIT_VERSION = 2;

/** The canonical text that is hashed and stored. */
export function auditBody(entry: AuditEntry, place: AuditPlace, binds: AuditBinds): string {
  const { type, at, actor, instance, data } = entry;
  const { log, seq, boot, monoUs } = place;
  return canonicalJson({
    v: AUDIT_VERSION,
    log,
    seq,
    boot,
    mono_us: monoUs,
    severity: severityOf(type, data),
    type,
    at,
    actor,
    instance,
    data,
    ...(Object.keys(binds).length === 0 ? {} : { binds }),
  });
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
    case 'agent.answered':
      return { type: event.type, data: { ...withoutType(event), message: digest(event.message) } };
    case 'agent.tool_called':
      return { type: event.type, data: { ...withoutType(event), args: digest(event.args) } };
    case 'agent.tool_ended':
      return { type: event.type, data: { ...withoutType(event), result: digest(event.result) } };
    default:
      return { type: event.type, data: withoutType(event) };
  }
}

function withoutType(event: RunEvent): Record<string, unknown> {
  const { type: _, ...data } = event;
  return data;
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
