import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type AuditEntry, auditBody, chainHash, genesisHash } from '../audit/record.ts';

/** The append-only chain of audit records. Append inside the transaction of the state that it speaks of. */
export interface AuditTable {
  append(entry: AuditEntry): void;
  /** Forgets what a rolled-back transaction appended: reads the head from the table again. */
  reload(): void;
  head(): { log: string; seq: number; hash: string };
}

export function openAuditTable(database: DatabaseSync, boot: string): AuditTable {
  const insert = database.prepare(
    'INSERT INTO audit (seq, at, type, instance, body, hash) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const last = database.prepare('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const log = logId(database);
  let seq = 0;
  let hash = genesisHash(log);
  const reload = (): void => {
    const row = last.get();
    seq = row === undefined ? 0 : Number(row['seq']);
    hash = row === undefined ? genesisHash(log) : String(row['hash']);
  };
  reload();
  return {
    append: (entry) => {
      const body = auditBody(entry, log, seq + 1, boot);
      const next = chainHash(hash, body);
      insert.run(seq + 1, entry.at, entry.type, entry.instance, body, next);
      seq += 1;
      hash = next;
    },
    reload,
    head: () => ({ log, seq, hash }),
  };
}

function logId(database: DatabaseSync): string {
  const found = database.prepare("SELECT value FROM meta WHERE key = 'audit_log'").get();
  if (found !== undefined) return String(found['value']);
  const id = randomUUID();
  database.prepare("INSERT INTO meta (key, value) VALUES ('audit_log', ?)").run(id);
  return id;
}
