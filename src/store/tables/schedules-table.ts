import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { ScheduleState } from '../../audit/binds.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Arguments } from '../operations.ts';
import type { FireRow, FireStatus, FireSummary, NewFire, ScheduleRow } from './schedule-rows.ts';

type Row = Record<string, SQLOutputValue>;

/** The tables `schedules` (how far each is decided, who paused it) and `fires` (one row a workflow and instant). */
export interface SchedulesTable {
  /** A new one is decided up to `at`; for one that is there fires before `at` are over. */
  put(workflow: string, at: number): void;
  /** What waits of it is skipped. Its other fires stay: an instant is never given out twice. */
  remove(workflow: string, at: number): void;
  /** What ties a record to the schedule as it is now; null when there is none. */
  state(workflow: string): ScheduleState | null;
  list(): ScheduleRow[];
  get(workflow: string): ScheduleRow | null;
  /** False when the fire has its decision already. */
  decide(fire: NewFire): boolean;
  /** The same for one that starts an instance. Throws FIRE_DECIDED. */
  start(fire: NewFire): void;
  advance(workflow: string, to: number): void;
  setClock(at: number): void;
  pause(args: Arguments<'schedule.pause'>): boolean;
  resume(args: Arguments<'schedule.resume'>): boolean;
  known(workflow: string, after: number, until: number): number[];
  waiting(workflow: string): FireRow[];
  summary(): FireSummary[];
  live(workflow: string): string[];
  /** Answers how many rows went. */
  prune(before: number): number;
}

/** Rows that one call removes at most (some milliseconds). */
const PRUNE_BATCH = 2000;

export function openSchedulesTable(database: DatabaseSync): SchedulesTable {
  const put = database.prepare(`
    INSERT INTO schedules (workflow, decided_to) VALUES (?, ?)
    ON CONFLICT (workflow) DO UPDATE SET decided_to = excluded.decided_to`);
  const remove = database.prepare('DELETE FROM schedules WHERE workflow = ?');
  // INDEXED BY, here and below: by itself SQLite looks through all fires that a workflow ever had.
  const drop = database.prepare(`
    UPDATE fires INDEXED BY fires_waiting SET status = 'skipped', reason = 'the workflow has no schedule any more', decided_at = ?
    WHERE workflow = ? AND status IN ('queued', 'replacing')`);
  // Without what a run needs beside: of ten thousand that would be megabytes for each look.
  const rows = `
    SELECT s.*, r.definition_hash, EXISTS (
      SELECT 1 FROM fires f INDEXED BY fires_waiting WHERE f.workflow = s.workflow AND f.status IN ('queued', 'replacing')
    ) AS has_waiting
    FROM schedules s JOIN registrations r ON r.name = s.workflow`;
  const state = database.prepare('SELECT decided_to, paused_at, paused_by FROM schedules WHERE workflow = ?');
  const list = database.prepare(`${rows} ORDER BY s.workflow`);
  const get = database.prepare(`${rows} WHERE s.workflow = ?`);
  const insert = database.prepare(
    'INSERT OR IGNORE INTO fires (status, instance, reason, decided_at, workflow, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const settle = database.prepare(`
    UPDATE fires SET status = ?, instance = ?, reason = ?, decided_at = ?
    WHERE workflow = ? AND at = ? AND status IN ('queued', 'replacing')`);
  // Not the greater of both: a clock that is set back is followed, what has its row is not given out again.
  const advance = database.prepare('UPDATE schedules SET decided_to = ? WHERE workflow = ?');
  const setClock = database.prepare('UPDATE schedules SET decided_to = min(decided_to, ?)');
  const pause = database.prepare(
    'UPDATE schedules SET paused_at = ?, paused_by = ? WHERE workflow = ? AND paused_at IS NULL',
  );
  const resume = database.prepare(`
    UPDATE schedules SET paused_at = NULL, paused_by = NULL, decided_to = ?
    WHERE workflow = ? AND paused_at IS NOT NULL`);
  const known = database.prepare(
    'SELECT at FROM fires WHERE workflow = ? AND at > ? AND at <= ? ORDER BY at',
  );
  const waiting = database.prepare(
    "SELECT * FROM fires INDEXED BY fires_waiting WHERE workflow = ? AND status IN ('queued', 'replacing') ORDER BY at",
  );
  const summary = database.prepare(`
    SELECT s.workflow AS schedule, f.*, (
      SELECT count(*) FROM fires w INDEXED BY fires_waiting WHERE w.workflow = s.workflow AND w.status IN ('queued', 'replacing')
    ) AS waiting
    FROM schedules s JOIN registrations r ON r.name = s.workflow LEFT JOIN fires f
      ON f.workflow = s.workflow AND f.at = (SELECT max(at) FROM fires WHERE workflow = s.workflow)
    ORDER BY s.workflow`);
  // CROSS JOIN: by way of the few instances that have not ended, not of all fires there ever were.
  const live = database.prepare(`
    SELECT i.id FROM instances i CROSS JOIN fires f ON f.instance = i.id
    WHERE i.ended_at IS NULL AND f.workflow = ? ORDER BY f.at`);

  // What is not decided yet by the schedule's own mark would be given out again.
  const prune = database.prepare(`
    DELETE FROM fires WHERE (workflow, at) IN (
      SELECT f.workflow, f.at FROM fires f LEFT JOIN schedules s ON s.workflow = f.workflow
      WHERE f.at < ?1 AND f.decided_at < ?1 AND f.instance IS NULL AND f.status NOT IN ('queued', 'replacing')
        AND f.at < coalesce(s.decided_to, ?1)
        AND f.at < (SELECT max(at) FROM fires WHERE workflow = f.workflow)
      LIMIT ${PRUNE_BATCH})`);

  const decide: SchedulesTable['decide'] = ({ row, from }) => {
    const values = [row.status, row.instance, row.reason, row.decidedAt, row.workflow, row.at] as const;
    const { changes } = from === 'waiting' ? settle.run(...values) : insert.run(...values);
    if (Number(changes) !== 1) return false;
    if (from === 'plan') advance.run(row.at, row.workflow);
    return true;
  };
  return {
    put: (workflow, at) => void put.run(workflow, at),
    remove: (workflow, at) => {
      remove.run(workflow);
      drop.run(at, workflow);
    },
    state: (workflow) => {
      const row = state.get(workflow);
      if (row === undefined) return null;
      const { pausedAt: paused_at, pausedBy: paused_by } = toPause(row);
      return { decided_to: Number(row['decided_to']), paused_at, paused_by };
    },
    list: () => list.all().map(toSchedule),
    get: (workflow) => {
      const row = get.get(workflow);
      return row === undefined ? null : toSchedule(row);
    },
    decide,
    start: (fire) => {
      if (decide(fire)) return;
      const { workflow, at } = fire.row;
      throw new WorkflowError(
        'FIRE_DECIDED',
        `the fire of ${workflow} at ${new Date(at).toISOString()} has been decided already`,
      );
    },
    advance: (workflow, to) => void advance.run(to, workflow),
    setClock: (at) => void setClock.run(at),
    pause: ({ workflow, by, at }) => Number(pause.run(at, by, workflow).changes) === 1,
    resume: ({ workflow, at }) => Number(resume.run(at, workflow).changes) === 1,
    known: (workflow, after, until) => known.all(workflow, after, until).map((row) => Number(row['at'])),
    waiting: (workflow) => waiting.all(workflow).map(toFire),
    summary: () =>
      summary.all().map((row) => ({
        workflow: String(row['schedule']),
        last: row['at'] === null ? null : toFire(row),
        waiting: Number(row['waiting']),
      })),
    prune: (before) => Number(prune.run(before).changes),
    live: (workflow) => live.all(workflow).map((row) => String(row['id'])),
  };
}

function toSchedule(row: Row): ScheduleRow {
  return {
    workflow: String(row['workflow']),
    decidedTo: Number(row['decided_to']),
    ...toPause(row),
    definitionHash: String(row['definition_hash']),
    hasWaiting: row['has_waiting'] === 1,
  };
}

function toPause(row: Row): Pick<ScheduleRow, 'pausedAt' | 'pausedBy'> {
  return {
    pausedAt: row['paused_at'] === null ? null : Number(row['paused_at']),
    pausedBy: row['paused_by'] === null ? null : String(row['paused_by']),
  };
}

function toFire(row: Row): FireRow {
  return {
    workflow: String(row['workflow']),
    at: Number(row['at']),
    // Only this module writes it, from a value of that type.
    status: String(row['status']) as FireStatus,
    instance: row['instance'] === null ? null : String(row['instance']),
    reason: row['reason'] === null ? null : String(row['reason']),
    decidedAt: Number(row['decided_at']),
  };
}
