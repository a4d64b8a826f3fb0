/** Rows and operations of schedules. Times are UTC ms. */
import type { AuditEntry } from '../../audit/record.ts';

/**
 * What became of a fire. started: it has an instance. skipped: overlap, or superseded. queued: starts when the earlier
 * instance has ended. replacing: the same, and the earlier one is being stopped for it. refused: a kill switch was
 * tripped. failed: the workflow could not be started.
 */
export type FireStatus = 'started' | 'skipped' | 'queued' | 'replacing' | 'refused' | 'failed';

/** One decided fire of the table `fires`. */
export interface FireRow {
  readonly workflow: string;
  readonly at: number;
  readonly status: FireStatus;
  readonly instance: string | null;
  readonly reason: string | null;
  readonly decidedAt: number;
}

/** A decision with its record. */
export interface NewFire {
  readonly row: FireRow;
  /**
   * plan: it is due, and all before it are decided. waiting: it was queued or replacing. person: asked for at this
   * very instant, apart from the plan.
   */
  readonly from: 'plan' | 'waiting' | 'person';
  readonly audit: AuditEntry;
}

/** Where and as whom a registered workflow runs when the clock starts it. */
export interface Starter {
  readonly workspace: string;
  readonly userHome: string;
  readonly configHome: string;
  readonly person: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A registered workflow with schedules. */
export interface ScheduleRow {
  readonly workflow: string;
  /** Fires up to here are decided. */
  readonly decidedTo: number;
  readonly pausedAt: number | null;
  readonly pausedBy: string | null;
  readonly definitionHash: string;
  /** Fires of it wait for an instance to end. */
  readonly hasWaiting: boolean;
}

/** What became of the fires of a registered workflow. */
export interface FireSummary {
  readonly workflow: string;
  readonly last: FireRow | null;
  /** How many wait for an instance to end. */
  readonly waiting: number;
}

/** Name → [arguments, result], as in operations.ts. */
export interface ScheduleOperations {
  /** A fire that starts nothing (now). `isNew` is false, and nothing written, when it has its decision already. */
  'fire.decide': [{ fire: NewFire }, { isNew: boolean }];
  /** Fires up to `to` that start nothing and get no rows. */
  'fire.miss': [{ workflow: string; to: number; audit: AuditEntry }, null];
  /** The clock is at `at`, whatever it was: schedules that are decided beyond it begin there. */
  'schedule.set_clock': [{ at: number; audit: AuditEntry }, null];
  /**
   * Removes rows of fires that were decided before a time, but of each workflow the last one, what waits and what
   * has an instance. Bounded: answers how many, ask until there are none. UTC ms.
   */
  'fire.prune': [{ before: number; at: number }, { count: number }];
  'schedule.pause': [
    { workflow: string; by: string; at: number; audit: AuditEntry },
    { hasChanged: boolean },
  ];
  /** Fires of the time in between are decided by it: none starts. */
  'schedule.resume': [{ workflow: string; at: number; audit: AuditEntry }, { hasChanged: boolean }];
}

export interface ScheduleReads {
  'schedule.list': [Record<string, never>, ScheduleRow[]];
  'schedule.get': [{ workflow: string }, ScheduleRow | null];
  /** Of every workflow that `schedule.list` has, in the same order. */
  'fire.summary': [Record<string, never>, FireSummary[]];
  /** Instants that have a row, from `after` (not it) to `until`. */
  'fire.known': [{ workflow: string; after: number; until: number }, number[]];
  /** Those queued or replacing, the oldest first. */
  'fire.waiting': [{ workflow: string }, FireRow[]];
  /** Ids of the instances that a fire started and that have not ended. */
  'fire.live': [{ workflow: string }, string[]];
}
