import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Arguments } from '../operations.ts';
import type { InstanceRow, InstanceStatus, ListedInstance } from './instance-rows.ts';

/** Lists instances by what a list shows: all of a row is ten times as much to read, hand over and throw away. */
export function openInstanceList(
  database: DatabaseSync,
): (args: Arguments<'instance.summaries'>) => ListedInstance[] {
  const columns =
    'id, workflow, version, definition_hash, status, reason, paused_at, paused_by, created_at, started_at, ended_at FROM instances';
  const place = '(SELECT created_at, rowid FROM instances WHERE id = ?)';
  const newest = 'ORDER BY created_at DESC, rowid DESC LIMIT ?';
  const all = database.prepare(`SELECT ${columns} ${newest}`);
  const allAfter = database.prepare(`SELECT ${columns} WHERE (created_at, rowid) < ${place} ${newest}`);
  // By itself SQLite takes the order from the index of all there ever were, and reads every row of it.
  const ofLive = `SELECT ${columns} INDEXED BY instances_live WHERE ended_at IS NULL`;
  const oldest = 'ORDER BY created_at, rowid LIMIT ?';
  const live = database.prepare(`${ofLive} ${oldest}`);
  const liveAfter = database.prepare(`${ofLive} AND (created_at, rowid) > ${place} ${oldest}`);
  return ({ isLiveOnly, limit, after }) => {
    const rows =
      after === null
        ? (isLiveOnly ? live : all).all(limit)
        : (isLiveOnly ? liveAfter : allAfter).all(after, limit);
    return rows.map(toListed);
  };
}

/** The part of a row that a list shows. */
export function toListed(row: Record<string, SQLOutputValue>): ListedInstance {
  const time = (name: string): InstanceRow['endedAt'] => (row[name] === null ? null : Number(row[name]));
  return {
    id: String(row['id']),
    workflow: String(row['workflow']),
    version: String(row['version']),
    definitionHash: String(row['definition_hash']),
    // Only the table of instances writes the column, from a value of that type.
    status: String(row['status']) as InstanceStatus,
    reason: row['reason'] === null ? null : String(row['reason']),
    pausedAt: time('paused_at'),
    pausedBy: row['paused_by'] === null ? null : String(row['paused_by']),
    createdAt: Number(row['created_at']),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  };
}
