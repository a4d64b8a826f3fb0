import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

/** What keeps rows from being changed by mistake: when each looks, and the words that it refuses by. */
const TRIGGERS: Readonly<Record<string, readonly [when: string, words: string]>> = {
  audit_no_update: ['UPDATE ON audit', 'audit rows are never changed'],
  audit_no_delete: ['DELETE ON audit', 'audit rows are never deleted'],
  audit_append_only: [
    'INSERT ON audit WHEN new.seq <= (SELECT max(seq) FROM audit)',
    'audit rows are only appended',
  ],
  events_no_update: ['UPDATE ON events', 'journal events are never changed'],
  events_no_delete: ['DELETE ON events', 'journal events are never deleted'],
  events_append_only: [
    'INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE instance = new.instance AND seq = new.seq)',
    'journal events are never replaced',
  ],
  audit_checkpoints_no_update: ['UPDATE ON audit_checkpoints', 'checkpoints are never changed'],
  audit_checkpoints_no_delete: ['DELETE ON audit_checkpoints', 'checkpoints are never deleted'],
  audit_checkpoints_append_only: [
    'INSERT ON audit_checkpoints WHEN new.number <= (SELECT max(number) FROM audit_checkpoints)',
    'checkpoints are only appended',
  ],
  audit_segments_no_update: ['UPDATE ON audit_segments', 'segments are never changed'],
  audit_segments_no_delete: ['DELETE ON audit_segments', 'segments are never deleted'],
  audit_segments_append_only: [
    'INSERT ON audit_segments WHEN new.number <= (SELECT max(number) FROM audit_segments)',
    'segments are only appended',
  ],
  audit_payloads_erase_only: [
    'UPDATE ON audit_payloads WHEN new.hash IS NOT old.hash OR new.body IS NOT NULL OR old.erased_at IS NOT NULL OR new.erased_at IS NULL',
    'payloads are only erased',
  ],
};

/** Of a table that a database has only once a supervisor of this version has started on it. */
const VERSION_TRIGGERS: typeof TRIGGERS = {
  versions_no_update: ['UPDATE ON versions', 'versions are never changed'],
  versions_no_delete: ['DELETE ON versions', 'versions are never deleted'],
};

/** The newest schema whose triggers are all known here (`PRAGMA user_version`). */
const KNOWN_SCHEMA = 9;

/**
 * A trigger that is gone, or is not word for word what we make, was changed by hand: we never leave one out. One that we
 * do not make acts on each change of ours: it could take away a kill switch as soon as it is tripped.
 */
export function checkTriggers(database: RowReader, findings: Findings): void {
  const made = new Map<string, string>();
  for (const row of database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").iterate())
    made.set(String(row['name']), String(row['sql']).replaceAll(/\s+/g, ' '));
  const hasVersions = database.prepare(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'versions'",
  );
  const triggers = { ...TRIGGERS, ...(hasVersions.get() === undefined ? {} : VERSION_TRIGGERS) };
  for (const [name, [when, words]] of Object.entries(triggers)) {
    const sql = `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT RAISE(ABORT, '${words}'); END`;
    if (made.get(name) !== sql)
      findings.add({ kind: 'trigger_missing', seq: null, message: `the trigger ${name} was taken away` });
    made.delete(name);
  }
  if (Number(database.prepare('PRAGMA user_version').get()?.['user_version']) > KNOWN_SCHEMA) return;
  for (const name of made.keys())
    findings.add({ kind: 'trigger_added', seq: null, message: `the trigger ${name} is none of ours` });
}
