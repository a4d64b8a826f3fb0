import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type Checkpoint, checkpointDigest, signCheckpoint } from '../../audit/checkpoint.ts';
import type { AuditTable } from './audit-table.ts';

/** The signed checkpoints of the audit chain. */
export interface CheckpointsTable {
  /** Signs the head of the chain. Null when nothing was appended since the last checkpoint. */
  sign(at: number): Checkpoint | null;
  newest(): Checkpoint | null;
  /** Those after a number, oldest first. */
  after(number: number, limit: number): Checkpoint[];
}

export function openCheckpointsTable(database: DatabaseSync, audit: AuditTable): CheckpointsTable {
  const insert = database.prepare(
    'INSERT INTO audit_checkpoints (number, seq, body, signature) VALUES (?, ?, ?, ?)',
  );
  const last = database.prepare('SELECT * FROM audit_checkpoints ORDER BY number DESC LIMIT 1');
  const after = database.prepare('SELECT * FROM audit_checkpoints WHERE number > ? ORDER BY number LIMIT ?');
  const newest = (): Checkpoint | null => {
    const row = last.get();
    return row === undefined ? null : toCheckpoint(row);
  };
  return {
    newest,
    sign: (at) => {
      const { log, seq, hash } = audit.head();
      const before = newest();
      if (seq <= (before?.seq ?? 0)) return null;
      const previous = before === null ? null : checkpointDigest(before);
      const number = (before?.number ?? 0) + 1;
      const made = signCheckpoint({ log, number, seq, hash, at, previous }, audit.key);
      insert.run(made.number, made.seq, made.body, made.signature);
      return made;
    },
    after: (number, limit) => after.all(number, limit).map(toCheckpoint),
  };
}

function toCheckpoint(row: Record<string, SQLOutputValue>): Checkpoint {
  return {
    number: Number(row['number']),
    seq: Number(row['seq']),
    body: String(row['body']),
    signature: String(row['signature']),
  };
}
