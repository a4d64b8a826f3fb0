import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { LatchRow } from './latch-rows.ts';

/** Tripped kill switches, and the epoch: a number that grows with each trip and each re-arming. */
export interface LatchesTable {
  /** False when the scope is tripped already: then nothing changes. */
  trip(row: LatchRow): boolean;
  /** False when the scope was not tripped. */
  rearm(scope: string): boolean;
  list(): LatchRow[];
  epoch(): number;
}

export function openLatchesTable(database: DatabaseSync): LatchesTable {
  const insert = database.prepare(
    'INSERT OR IGNORE INTO kill_latches (scope, mode, reason, tripped_by, at) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM kill_latches WHERE scope = ?');
  const list = database.prepare('SELECT * FROM kill_latches ORDER BY at, scope');
  const epoch = database.prepare("SELECT value FROM meta WHERE key = 'kill_epoch'");
  const next = database.prepare(
    `INSERT INTO meta (key, value) VALUES ('kill_epoch', '1')
     ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`,
  );
  const counted = (changes: number | bigint): boolean => {
    const hasChanged = Number(changes) > 0;
    if (hasChanged) next.run();
    return hasChanged;
  };
  return {
    trip: ({ scope, mode, reason, by, at }) => counted(insert.run(scope, mode, reason, by, at).changes),
    rearm: (scope) => counted(remove.run(scope).changes),
    list: () => list.all().map(toLatch),
    epoch: () => Number(epoch.get()?.['value'] ?? 0),
  };
}

function toLatch(row: Record<string, SQLOutputValue>): LatchRow {
  return {
    scope: String(row['scope']),
    // Only this table's own insert writes it, from a value of that type.
    mode: String(row['mode']) as LatchRow['mode'],
    reason: String(row['reason']),
    by: String(row['tripped_by']),
    at: Number(row['at']),
  };
}
