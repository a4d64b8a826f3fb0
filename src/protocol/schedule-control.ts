/** The people's methods about schedules; a part of control.ts. */
import type { FireStatus } from '../store/tables/schedule-rows.ts';
import type { Caller } from './caller.ts';

/** A coming fire of a schedule. */
export interface FireDocument {
  /** UTC ISO 8601. */
  readonly at: string;
  /** The wall clock of the zone at that instant, with its offset: `2026-03-29T03:30:00+02:00`. */
  readonly local: string;
  readonly timezone: string;
  readonly cron: string;
  /** What a clock change has to do with it: shifted out of a gap, first or last of a time that comes twice. */
  readonly change: 'gap' | 'fold_first' | 'fold_last' | null;
}

/** A registered workflow with schedules. */
export interface ScheduleDocument {
  readonly workflow: string;
  readonly paused: { readonly by: string; readonly since: string } | null;
  /** Null when none is to come, or it cannot be read: then `problem` says why. */
  readonly next: FireDocument | null;
  readonly last: {
    readonly at: string;
    readonly status: FireStatus;
    readonly instance: string | null;
    readonly reason: string | null;
  } | null;
  /** Fires that wait for an earlier instance to end. */
  readonly waiting: number;
  readonly problem: string | null;
}

/** Method → [parameters, result]. */
export interface ScheduleMethods {
  /** The coming fires of a workflow's schedules, at most 10,000, after an instant (UTC ms). */
  'schedule.next': [
    { target: string; count: number; from: number | null; caller: Caller },
    { workflow: string; fires: readonly FireDocument[] },
  ];
  'schedule.list': [Record<string, never>, readonly ScheduleDocument[]];
  /** No fire starts until `schedule.resume`; what was paused or resumed already stays as it is. */
  'schedule.pause': [{ name: string; caller: Caller }, { workflow: string; changed: boolean }];
  'schedule.resume': [{ name: string; caller: Caller }, { workflow: string; changed: boolean }];
  /** Starts the workflow as its schedule would, now, whatever else of it runs. */
  'schedule.trigger': [{ name: string; caller: Caller }, { workflow: string; id: string; notices: string[] }];
}
