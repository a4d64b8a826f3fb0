import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { emptyJournal, instanceHashes, type RowHashes } from '../../audit/binds.ts';
import type { RunEvent } from '../../engine/events.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Answer, Arguments } from '../operations.ts';
import { toListed } from './instance-list.ts';
import type { InstanceRow } from './instance-rows.ts';

type Row = Record<string, SQLOutputValue>;

/**
 * The table `instances`: one row a run, its status always that of the last committed event. Whatever changes a row but a
 * journal event is followed by a record that is tied to it (`hashes`), in the same transaction: to `audit verify` a row
 * that is not what its last record says was tampered with.
 */
export interface InstancesTable {
  create(args: Arguments<'instance.create'>): void;
  launch(args: Arguments<'instance.launch'>): void;
  setProcess(args: Arguments<'instance.process'>): void;
  exited(args: Arguments<'instance.exited'>): void;
  /** False when there was nothing to change. */
  pause(args: Arguments<'instance.pause'>): boolean;
  unpause(args: Arguments<'instance.unpause'>): boolean;
  requeue(args: Arguments<'instance.requeue'>): void;
  /** Moves the row on by an event of its journal. */
  follow(id: string, seq: number, at: number, event: RunEvent): void;
  /** The incarnation, the journal's last number and digest, and whether that was the end; null for an unknown id. */
  position(id: string): Position | null;
  /** Keeps the digest of the journal, as of the last event written. */
  setJournal(id: string, digest: string): void;
  /** What a record of this moment says of the row; null for an unknown id. */
  hashes(id: string): RowHashes | null;
  get(id: string): InstanceRow | null;
  find(prefix: string): Answer<'instance.find'>;
  latest(args: Arguments<'instance.latest'>): string | null;
  live(args: Arguments<'instance.live'>): InstanceRow[];
}

export interface Position {
  readonly incarnation: number;
  readonly lastSeq: number;
  readonly journalDigest: string;
  readonly hasEnded: boolean;
}

export function openInstancesTable(database: DatabaseSync): InstancesTable {
  const insert = database.prepare(`
    INSERT INTO instances (id, workflow, version, definition_hash, pins_hash, source, workspace, status, inputs,
      context, env, limits, created_at, notice, approvals)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)`);
  const launch = database.prepare(`
    UPDATE instances SET incarnation = ?, token_hash = ?, scope = ?, isolation = ?, process = NULL, wake_at = NULL,
      active_since = ?, started_at = coalesce(started_at, ?), status = 'initializing', fruitless = fruitless + 1
    WHERE id = ? AND incarnation = ? AND ended_at IS NULL`);
  const setProcess = database.prepare('UPDATE instances SET process = ? WHERE id = ? AND incarnation = ?');
  const exited = database.prepare(`
    UPDATE instances SET process = NULL, usage = coalesce(?, usage), fruitless = ?, active_since = NULL,
      active_ms = active_ms + CASE WHEN active_since IS NULL THEN 0 ELSE coalesce(?, max(0, ? - active_since)) END
    WHERE id = ? AND incarnation = ?`);
  const pause = database.prepare(`
    UPDATE instances SET paused_at = ?1, paused_by = ?3, active_since = NULL,
      active_ms = active_ms + CASE WHEN active_since IS NULL THEN 0 ELSE coalesce(?4, max(0, ?1 - active_since)) END
    WHERE id = ?2 AND paused_at IS NULL AND ended_at IS NULL`);
  const unpause = database.prepare(`
    UPDATE instances SET paused_at = NULL, paused_by = NULL, active_since = CASE WHEN process IS NULL THEN NULL ELSE ? END
    WHERE id = ? AND paused_at IS NOT NULL`);
  // Whoever resumes a run that ran out of its time gives it that time again: else it could only end once more.
  const requeue = database.prepare(`
    UPDATE instances SET active_ms = CASE WHEN status = 'timed_out' THEN 0 ELSE active_ms END, status = 'queued', reason = NULL, error = NULL, ended_at = NULL, wake_at = NULL, fruitless = 0,
      resume_from = ?
    WHERE id = ? AND ended_at IS NOT NULL`);
  const redefine = database.prepare(`
    UPDATE instances SET version = ?, definition_hash = ?, pins_hash = ?, source = ?, limits = ?, notice = ?
    WHERE id = ?`);
  const setStatus = database.prepare('UPDATE instances SET last_seq = ?, status = ? WHERE id = ?');
  const setSeq = database.prepare('UPDATE instances SET last_seq = ? WHERE id = ?');
  const setProgress = database.prepare('UPDATE instances SET last_seq = ?, fruitless = 0 WHERE id = ?');
  const setWaiting = database.prepare(
    "UPDATE instances SET last_seq = ?, status = 'waiting', wake_at = ?, fruitless = 0 WHERE id = ?",
  );
  const setEnd = database.prepare(
    'UPDATE instances SET last_seq = ?, status = ?, reason = ?, error = ?, ended_at = ?, paused_at = NULL, paused_by = NULL WHERE id = ?',
  );
  const position = database.prepare(
    'SELECT incarnation, last_seq, journal_digest, ended_at FROM instances WHERE id = ?',
  );
  const setJournal = database.prepare('UPDATE instances SET journal_digest = ? WHERE id = ?');
  const get = database.prepare('SELECT * FROM instances WHERE id = ?');
  const find = database.prepare('SELECT id FROM instances WHERE id >= ? AND id < ? ORDER BY id LIMIT 3');
  const latest = database.prepare(
    'SELECT id FROM instances WHERE created_at <= ? ORDER BY created_at DESC, rowid DESC LIMIT 1',
  );
  // By itself SQLite takes the order from the index of all there ever were, and reads every row of it.
  const live = database.prepare(
    'SELECT * FROM instances INDEXED BY instances_live WHERE ended_at IS NULL ORDER BY created_at, rowid LIMIT ?',
  );

  return {
    create: ({ instance: i, at }) => {
      insert.run(
        i.id,
        i.workflow,
        i.version,
        i.definitionHash,
        i.pinsHash,
        i.source,
        i.workspace,
        JSON.stringify(i.inputs),
        JSON.stringify(i.context),
        JSON.stringify(i.env),
        JSON.stringify(i.limits),
        at,
        i.notice,
        // Null in rows that are older than the column: what is usual is written like that.
        i.approvals === 'named' ? null : i.approvals,
      );
    },
    launch: ({ id, incarnation, tokenHash, scope, isolation, at }) => {
      const { changes } = launch.run(
        incarnation,
        tokenHash,
        JSON.stringify(scope),
        JSON.stringify(isolation),
        at,
        at,
        id,
        incarnation - 1,
      );
      if (Number(changes) !== 1)
        throw new WorkflowError('INTERNAL', `instance ${id} cannot start incarnation ${incarnation}`);
    },
    setProcess: ({ id, incarnation, process }) => {
      setProcess.run(JSON.stringify(process), id, incarnation);
    },
    exited: ({ id, incarnation, usage, fruitless, activeMs, at }) => {
      exited.run(usage === null ? null : JSON.stringify(usage), fruitless, activeMs, at, id, incarnation);
    },
    pause: ({ id, by, activeMs, at }) => Number(pause.run(at, id, by, activeMs).changes) === 1,
    unpause: ({ id, at }) => Number(unpause.run(at, id).changes) === 1,
    requeue: ({ id, from, change }) => {
      if (change !== null && position.get(id)?.['last_seq'] !== change.lastSeq)
        throw new WorkflowError('NOT_RESUMABLE', `the instance ${id} has gone on meanwhile`, {
          about: { id },
        });
      const { changes } = requeue.run(from, id);
      if (Number(changes) !== 1)
        throw new WorkflowError(
          'NOT_RESUMABLE',
          `the instance ${id} has not ended, or is being resumed already`,
          { about: { id } },
        );
      if (change === null) return;
      const { version, definitionHash, pinsHash, source, limits, notice } = change;
      redefine.run(version, definitionHash, pinsHash, source, JSON.stringify(limits), notice, id);
    },
    follow: (id, seq, at, event) => {
      switch (event.type) {
        case 'run.started':
        case 'run.resumed':
          setStatus.run(seq, 'running', id);
          return;
        case 'run.stopping':
          setStatus.run(seq, 'stopping', id);
          return;
        case 'rollback.started':
          setStatus.run(seq, 'rolling_back', id);
          return;
        case 'run.waiting':
          setWaiting.run(seq, event.until, id);
          return;
        case 'run.ended':
          setEnd.run(seq, event.status, event.reason, event.error && JSON.stringify(event.error), at, id);
          return;
        case 'step.completed':
        case 'step.failed':
        case 'step.skipped':
          setProgress.run(seq, id);
          return;
        default:
          setSeq.run(seq, id);
      }
    },
    position: (id) => {
      const row = position.get(id);
      return row === undefined
        ? null
        : {
            incarnation: Number(row['incarnation']),
            lastSeq: Number(row['last_seq']),
            journalDigest: row['journal_digest'] === null ? emptyJournal(id) : String(row['journal_digest']),
            hasEnded: row['ended_at'] !== null,
          };
    },
    setJournal: (id, digest) => {
      setJournal.run(digest, id);
    },
    hashes: (id) => {
      const row = get.get(id);
      return row === undefined ? null : instanceHashes(row);
    },
    get: (id) => {
      const row = get.get(id);
      return row === undefined ? null : toInstance(row);
    },
    find: (prefix) => find.all(prefix, `${prefix}\u{10ffff}`).map((row) => String(row['id'])),
    latest: ({ now }) => {
      // Those of a clock that was ahead come before all that were made since it was set right.
      const row = latest.get(now) ?? latest.get(Number.MAX_SAFE_INTEGER);
      return row === undefined ? null : String(row['id']);
    },
    live: ({ limit }) => live.all(limit).map(toInstance),
  };
}

function toInstance(row: Row): InstanceRow {
  return {
    ...toListed(row),
    pinsHash: String(row['pins_hash']),
    source: String(row['source']),
    workspace: String(row['workspace']),
    error: parse(row['error']) as InstanceRow['error'],
    inputs: parse(row['inputs']) as InstanceRow['inputs'],
    context: parse(row['context']) as InstanceRow['context'],
    env: parse(row['env']) as InstanceRow['env'],
    limits: parse(row['limits']) as InstanceRow['limits'],
    incarnation: Number(row['incarnation']),
    tokenHash: row['token_hash'] === null ? null : String(row['token_hash']),
    process: parse(row['process']) as InstanceRow['process'],
    scope: parse(row['scope']) as InstanceRow['scope'],
    isolation: parse(row['isolation']) as InstanceRow['isolation'],
    usage: parse(row['usage']) as InstanceRow['usage'],
    activeMs: Number(row['active_ms']),
    activeSince: integer(row['active_since']),
    fruitless: Number(row['fruitless']),
    wakeAt: integer(row['wake_at']),
    lastSeq: Number(row['last_seq']),
    resumeFrom: row['resume_from'] === null ? null : String(row['resume_from']),
    notice: row['notice'] === null ? null : String(row['notice']),
    approvals: row['approvals'] === null ? 'named' : (String(row['approvals']) as InstanceRow['approvals']),
  };
}

function parse(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null;
}

function integer(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
