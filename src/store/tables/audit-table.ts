import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AuditBinds } from '../../audit/binds.ts';
import { canonicalJson, sha256 } from '../../audit/canonical.ts';
import { type AuditKey, keyFile, makeKey, readKey } from '../../audit/keys.ts';
import { type AuditEntry, auditBody, chainHash, genesisHash } from '../../audit/record.ts';
import { isUrgent } from '../../audit/severity.ts';
import { ensureError, systemCode, WorkflowError } from '../../errors/workflow-error.ts';

/** The append-only chain of audit records. Append inside the transaction of the state that it speaks of. */
export interface AuditTable {
  append(entry: AuditEntry, binds?: AuditBinds): void;
  /** True the first time a batch of that name is begun; part of the transaction, like the records that follow. */
  begin(batch: string): boolean;
  /** Forgets what a rolled-back transaction appended: reads the head from the table again. */
  reload(): void;
  head(): AuditHead;
  /** True when a record that is to be signed at once was appended since the last call. */
  takeUrgency(): boolean;
  readonly key: AuditKey;
}

export interface AuditHead {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}

/** Opens the log of a database and its key, which is made when there is none. */
export function openAuditTable(database: DatabaseSync, boot: string, keysFolder: string): AuditTable {
  const insert = database.prepare(
    'INSERT INTO audit (seq, at, type, instance, body, hash, seal) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const keep = database.prepare('INSERT OR IGNORE INTO audit_payloads (hash, body) VALUES (?, ?)');
  const last = database.prepare('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const name = database.prepare('INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)');
  const log = logId(database);
  const key = openKey(keysFolder, log);
  let hasUrgent = false;
  let seq = 0;
  let hash = genesisHash(log);
  const reload = (): void => {
    const row = last.get();
    seq = row === undefined ? 0 : Number(row['seq']);
    hash = row === undefined ? genesisHash(log) : String(row['hash']);
  };
  reload();

  const store = ({ payload }: AuditEntry): AuditBinds['payload'] => {
    if (payload === undefined) return undefined;
    const text = canonicalJson(payload);
    const digest = sha256(text);
    keep.run(digest, text);
    return { sha256: digest, bytes: Buffer.byteLength(text) };
  };

  return {
    append: (entry, binds = {}) => {
      const payload = store(entry);
      const place = { log, seq: seq + 1, boot, monoUs: Number(process.hrtime.bigint() / 1000n) };
      const body = auditBody(entry, place, payload === undefined ? binds : { ...binds, payload });
      const next = chainHash(hash, body);
      insert.run(seq + 1, entry.at, entry.type, entry.instance, body, next, key.seal(next));
      seq += 1;
      hash = next;
      hasUrgent ||= isUrgent(entry.type, entry.data);
    },
    begin: (batch) => Number(name.run(`audit_batch:${batch}`, String(seq)).changes) === 1,
    reload,
    head: () => ({ log, seq, hash }),
    takeUrgency: () => {
      const was = hasUrgent;
      hasUrgent = false;
      return was;
    },
    key,
  };
}

function openKey(folder: string, log: string): AuditKey {
  try {
    return readKey(folder, log) ?? makeKey(folder, log);
  } catch (error) {
    const code = systemCode(error);
    const why = code?.startsWith('ERR_OSSL')
      ? 'it holds no private key'
      : (code ?? ensureError(error).message);
    throw new WorkflowError(
      'AUDIT_KEY',
      `cannot use the key of the audit log, ${keyFile(folder, log)}: ${why}`,
      {
        cause: error,
      },
    );
  }
}

function logId(database: DatabaseSync): string {
  const found = database.prepare("SELECT value FROM meta WHERE key = 'audit_log'").get();
  if (found !== undefined) return String(found['value']);
  const id = randomUUID();
  database.prepare("INSERT INTO meta (key, value) VALUES ('audit_log', ?)").run(id);
  return id;
}
