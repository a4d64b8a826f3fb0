import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { rowHash, VERSION_COLUMNS } from '../../audit/binds.ts';
import type { RegistrationRow } from './registration-rows.ts';
import type { VersionRow } from './version-rows.ts';

/** The table `versions`: each content that was registered under a name, numbered from 1. A number means one content. */
export interface VersionsTable {
  /** Gives content that is new under its name the next number; known content keeps its own. */
  put(row: RegistrationRow, by: string): { readonly number: number; readonly isNew: boolean };
  /** What ties a record to the row of a number. */
  hash(workflow: string, number: number): string;
  /** By name and number; null = of all names. */
  list(workflow: string | null): VersionRow[];
}

const LIST_VERSIONS = `
  SELECT v.*, r.name IS NOT NULL AS is_current, (
    SELECT count(*) FROM instances i WHERE i.workflow = v.workflow AND i.definition_hash = v.definition_hash
  ) AS runs
  FROM versions v LEFT JOIN registrations r ON r.name = v.workflow AND r.definition_hash = v.definition_hash`;

export function openVersionsTable(database: DatabaseSync): VersionsTable {
  const find = database.prepare('SELECT number FROM versions WHERE workflow = ? AND definition_hash = ?');
  const row = database.prepare('SELECT * FROM versions WHERE workflow = ? AND number = ?');
  const insert = database.prepare(`
    INSERT INTO versions (workflow, number, definition_hash, version, source, registered_at, registered_by)
    SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM versions WHERE workflow = ?1
    RETURNING number`);
  const all = database.prepare(`${LIST_VERSIONS} ORDER BY v.workflow, v.number`);
  // A statement of its own: with `? IS NULL OR …` in one, the versions of every name are read for it.
  const ofOne = database.prepare(`${LIST_VERSIONS} WHERE v.workflow = ? ORDER BY v.workflow, v.number`);
  return {
    put: (row, by) => {
      const known = find.get(row.name, row.definitionHash);
      if (known !== undefined) return { number: Number(known['number']), isNew: false };
      const made = insert.get(row.name, row.definitionHash, row.version, row.source, row.registeredAt, by);
      return { number: Number(made?.['number']), isNew: true };
    },
    hash: (workflow, number) => rowHash(row.get(workflow, number) ?? {}, VERSION_COLUMNS),
    list: (workflow) => (workflow === null ? all.all() : ofOne.all(workflow)).map(toVersion),
  };
}

function toVersion(row: Record<string, SQLOutputValue>): VersionRow {
  return {
    workflow: String(row['workflow']),
    number: Number(row['number']),
    definitionHash: String(row['definition_hash']),
    version: String(row['version']),
    source: String(row['source']),
    registeredAt: Number(row['registered_at']),
    registeredBy: row['registered_by'] === null ? null : String(row['registered_by']),
    isCurrent: row['is_current'] === 1,
    runs: Number(row['runs']),
  };
}
