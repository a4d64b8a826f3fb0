/** What the writer thread is asked to do. Every write carries its audit record with it, in the same transaction. */

import type { IsolationReport, ScopeRecord } from '../../sandbox/isolation.ts';
import type { ProcessIdentity } from '../../sandbox/process-identity.ts';
import type { AuditEntry } from '../audit/record.ts';
import type { JsonObject } from '../definition/workflow.ts';
import type { EndStatus, JournalEntry, RunEvent } from '../engine/events.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';

export type InstanceStatus =
  | 'queued'
  | 'initializing'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'stopping'
  | 'rolling_back'
  | EndStatus;

/** An instance as the database holds it. Times are UTC ms. */
export interface InstanceRow {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly definitionHash: string;
  readonly pinsHash: string;
  /** The file the definition came from. */
  readonly source: string;
  readonly workspace: string;
  readonly status: InstanceStatus;
  readonly reason: string | null;
  readonly error: ErrorRecord | null;
  readonly inputs: JsonObject;
  readonly context: { readonly readonly: JsonObject; readonly mutable: JsonObject };
  readonly env: Readonly<Record<string, string>>;
  readonly limits: InstanceLimits;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly incarnation: number;
  readonly tokenHash: string | null;
  readonly process: ProcessIdentity | null;
  readonly scope: ScopeRecord | null;
  readonly isolation: IsolationReport | null;
  readonly usage: UsageTotals | null;
  /** Active time of finished incarnations. */
  readonly activeMs: number;
  /** Start of the running incarnation, null when no process is active. */
  readonly activeSince: number | null;
  /** Incarnations in a row that ended without a new completed step. */
  readonly fruitless: number;
  /** When a waiting instance is to go on. */
  readonly wakeAt: number | null;
  readonly lastSeq: number;
  /** The step that a person wants the run to begin from again, until it is resumed. */
  readonly resumeFrom: string | null;
  /** One line about what is missing on this machine for this run, or null. */
  readonly notice: string | null;
}

export interface InstanceLimits {
  readonly memoryBytes: number;
  readonly cpuPercent: number;
  readonly processes: number;
  readonly executionMs: number;
  readonly concurrentSteps: number;
}

export interface UsageTotals {
  readonly peakMemoryBytes: number;
  readonly cpuSeconds: number;
  readonly processesPeak: number;
  readonly cpuThrottledSeconds: number;
}

export type NewInstance = Pick<
  InstanceRow,
  | 'id'
  | 'workflow'
  | 'version'
  | 'definitionHash'
  | 'pinsHash'
  | 'source'
  | 'workspace'
  | 'inputs'
  | 'context'
  | 'env'
  | 'limits'
  | 'notice'
>;

export interface RegistrationRow {
  readonly name: string;
  readonly version: string;
  readonly definitionHash: string;
  readonly source: string;
  readonly registeredAt: number;
}

export interface Documents {
  /** Content by SHA-256: definitions and pinned skills. */
  readonly [hash: string]: string;
}

/** Name → [arguments, result]. All writes of one turn of the writer commit together. */
export interface WriteOperations {
  'instance.create': [{ instance: NewInstance; documents: Documents; at: number; audit: AuditEntry }, null];
  /** A new incarnation. Fails when the instance has ended or `incarnation` is not the next one. */
  'instance.launch': [
    {
      id: string;
      incarnation: number;
      tokenHash: string;
      scope: ScopeRecord;
      isolation: IsolationReport;
      at: number;
      audit: AuditEntry;
    },
    null,
  ];
  'instance.process': [
    { id: string; incarnation: number; process: ProcessIdentity; audit: AuditEntry },
    null,
  ];
  /** Events of an instance's own process, in order. Known ones are passed over. Answers the last committed number. */
  'journal.append': [
    { id: string; incarnation: number; entries: readonly JournalEntry[]; audits: readonly AuditEntry[] },
    { lastSeq: number },
  ];
  /**
   * Events that the supervisor adds for an instance that has no process; numbered here. Answers them as written:
   * none when the run has ended already.
   */
  'journal.close': [
    { id: string; incarnation: number; events: readonly RunEvent[]; at: number },
    { entries: JournalEntry[] },
  ];
  /** The process of an incarnation is gone. */
  'instance.exited': [
    { id: string; incarnation: number; usage: UsageTotals | null; at: number; audit: AuditEntry },
    null,
  ];
  /** Reopens an ended instance for `resume`. Fails with NOT_RESUMABLE when it has not ended. */
  'instance.requeue': [{ id: string; from: string | null; at: number; audit: AuditEntry }, null];
  'registration.put': [{ row: RegistrationRow; documents: Documents; audit: AuditEntry }, null];
  'registration.remove': [{ name: string; audit: AuditEntry }, { removed: boolean }];
  'audit.append': [{ entries: readonly AuditEntry[] }, null];
}

export interface ReadOperations {
  'instance.get': [{ id: string }, InstanceRow | null];
  'instance.find': [{ prefix: string }, string[]];
  'instance.latest': [Record<string, never>, string | null];
  'instance.list': [{ isLiveOnly: boolean; limit: number }, InstanceRow[]];
  'journal.read': [{ id: string; afterSeq: number }, JournalEntry[]];
  'document.get': [{ hash: string }, string | null];
  'registration.list': [Record<string, never>, RegistrationRow[]];
  'registration.get': [{ name: string }, RegistrationRow | null];
  'audit.head': [Record<string, never>, { log: string; seq: number; hash: string }];
}

export type Operations = WriteOperations & ReadOperations;
export type OperationName = keyof Operations;
export type Arguments<K extends OperationName> = Operations[K][0];
export type Answer<K extends OperationName> = Operations[K][1];

export const END_STATUSES: readonly InstanceStatus[] = [
  'completed',
  'failed',
  'stopped',
  'killed',
  'timed_out',
  'rolled_back',
  'rollback_failed',
];

export function hasEnded(status: InstanceStatus): boolean {
  return END_STATUSES.includes(status);
}
