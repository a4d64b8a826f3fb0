import type { IsolationReport, ScopeRecord } from '../../../sandbox/isolation.ts';
import type { LayerName, Tier } from '../../../sandbox/launcher/tier.ts';
import type { ProcessIdentity } from '../../../sandbox/process-identity.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import type { EndStatus } from '../../engine/events.ts';
import type { ErrorRecord } from '../../errors/workflow-error.ts';

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
  readonly isolation: InstanceIsolation | null;
  readonly usage: UsageTotals | null;
  /** Active time of finished incarnations. */
  readonly activeMs: number;
  /** Start of the running incarnation, null when no process is active. */
  readonly activeSince: number | null;
  /** Incarnations in a row that ended without a new completed step. */
  readonly fruitless: number;
  /** Since when it is kept from going on; null when nobody does. */
  readonly pausedAt: number | null;
  /** Who keeps it: `person NAME`, or `supervisor` while the disk is nearly full. */
  readonly pausedBy: string | null;
  /** When a waiting instance is to go on. */
  readonly wakeAt: number | null;
  readonly lastSeq: number;
  /** The step that a person wants the run to begin from again, until it is resumed. */
  readonly resumeFrom: string | null;
  /** One line about what is missing on this machine for this run, or null. */
  readonly notice: string | null;
  readonly approvals: ApprovalMode;
}

/**
 * What waits for a person. wait: all that has to be approved. named: only where a rule or a step names who may.
 * deny: nothing, it is refused at once.
 */
export type ApprovalMode = 'wait' | 'named' | 'deny';

/** What holds the limits of an instance, and what of the sandbox its steps have. */
export interface InstanceIsolation extends IsolationReport {
  /** Absent in rows that were written before there were any. */
  readonly layers?: { readonly held: readonly LayerName[]; readonly missing: readonly LayerName[] };
  /** Step id → the tier that is held for it; null when not even the laxest is. */
  readonly tiers?: Readonly<Record<string, Tier | null>>;
  /** Step id → tool → what can be reached through the proxy. Absent in rows of older versions. */
  readonly networks?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface InstanceLimits {
  readonly memoryBytes: number;
  readonly cpuPercent: number;
  readonly processes: number;
  readonly executionMs: number;
  readonly concurrentSteps: number;
  /** Of the scratch folder; missing or null = not watched. */
  readonly diskBytes?: number | null;
  /** For reading and for writing each, of each disk; missing or null = not limited. */
  readonly ioBytesPerSecond?: number | null;
  /** In the queue, -10 to 10; missing in rows of older versions. */
  readonly priority?: number;
}

export interface UsageTotals {
  readonly peakMemoryBytes: number;
  readonly cpuSeconds: number;
  readonly processesPeak: number;
  readonly cpuThrottledSeconds: number;
  /** From and to disks; null where nobody could tell, missing in rows of older versions. */
  readonly ioReadBytes?: number | null;
  readonly ioWrittenBytes?: number | null;
  /** Missing in rows of older versions. */
  readonly series?: UsageSeries | null;
}

/** What was used over time, oldest first: of each interval the highest memory and the mean CPU. */
export interface UsageSeries {
  readonly intervalMs: number;
  readonly memoryBytes: readonly number[];
  /** Of one core. */
  readonly cpuPercent: readonly number[];
  /** Means, from and to disks; missing where nobody could tell. */
  readonly ioReadPerSecond?: readonly number[];
  readonly ioWrittenPerSecond?: readonly number[];
}

/** What a list of instances shows. */
export type ListedInstance = Pick<
  InstanceRow,
  | 'id'
  | 'workflow'
  | 'version'
  | 'definitionHash'
  | 'status'
  | 'reason'
  | 'pausedAt'
  | 'pausedBy'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
>;

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
  | 'approvals'
>;

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
