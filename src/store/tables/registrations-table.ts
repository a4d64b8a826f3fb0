import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type AuditBinds, REGISTRATION_COLUMNS, rowHash } from '../../audit/binds.ts';
import { sha256 } from '../../audit/canonical.ts';
import type { Answer } from '../operations.ts';
import type { Documents, RegistrationRow } from './registration-rows.ts';

/** The tables `registrations` (name → definition) and `documents` (content by hash). */
export interface RegistrationsTable {
  putDocuments(documents: Documents): void;
  document(hash: string): string | null;
  /** Answers what ties a record to the row as it is now. */
  put(row: RegistrationRow): Pick<AuditBinds, 'registration' | 'starter'>;
  remove(name: string): boolean;
  get(name: string): RegistrationRow | null;
  list(): Answer<'registration.list'>;
}

export function openRegistrationsTable(database: DatabaseSync): RegistrationsTable {
  const putDocument = database.prepare('INSERT OR IGNORE INTO documents (hash, body) VALUES (?, ?)');
  const document = database.prepare('SELECT body FROM documents WHERE hash = ?');
  const put = database.prepare(`
    INSERT INTO registrations (name, version, definition_hash, source, registered_at, starter)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, definition_hash = excluded.definition_hash,
      source = excluded.source, registered_at = excluded.registered_at, starter = excluded.starter`);
  const remove = database.prepare('DELETE FROM registrations WHERE name = ?');
  const get = database.prepare('SELECT * FROM registrations WHERE name = ?');
  const list = database.prepare(
    'SELECT name, version, definition_hash, source, registered_at FROM registrations ORDER BY name',
  );
  return {
    putDocuments: (documents) => {
      for (const [hash, body] of Object.entries(documents)) putDocument.run(hash, body);
    },
    document: (hash) => {
      const row = document.get(hash);
      return row === undefined ? null : String(row['body']);
    },
    put: (row) => {
      const starter = row.starter === null ? null : JSON.stringify(row.starter);
      put.run(row.name, row.version, row.definitionHash, row.source, row.registeredAt, starter);
      const registration = rowHash(get.get(row.name) ?? {}, REGISTRATION_COLUMNS);
      return { registration, starter: starter === null ? null : sha256(starter) };
    },
    remove: (name) => Number(remove.run(name).changes) > 0,
    get: (name) => {
      const row = get.get(name);
      return row === undefined ? null : toRegistration(row);
    },
    list: () => list.all().map(toListed),
  };
}

function toListed(row: Record<string, SQLOutputValue>): Omit<RegistrationRow, 'starter'> {
  return {
    name: String(row['name']),
    version: String(row['version']),
    definitionHash: String(row['definition_hash']),
    source: String(row['source']),
    registeredAt: Number(row['registered_at']),
  };
}

function toRegistration(row: Record<string, SQLOutputValue>): RegistrationRow {
  return {
    ...toListed(row),
    // Only `put` writes it, from a value of that type.
    starter:
      row['starter'] === null ? null : (JSON.parse(String(row['starter'])) as RegistrationRow['starter']),
  };
}
