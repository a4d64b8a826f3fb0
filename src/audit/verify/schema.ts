import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

/** What keeps rows from being changed by mistake, with the words that each refuses by. */
const TRIGGERS: Readonly<Record<string, string>> = {
  audit_no_update: 'audit rows are never changed',
  audit_no_delete: 'audit rows are never deleted',
  audit_append_only: 'audit rows are only appended',
  events_no_update: 'journal events are never changed',
  events_no_delete: 'journal events are never deleted',
  events_append_only: 'journal events are never replaced',
  audit_checkpoints_no_update: 'checkpoints are never changed',
  audit_checkpoints_no_delete: 'checkpoints are never deleted',
  audit_checkpoints_append_only: 'checkpoints are only appended',
  audit_segments_no_update: 'segments are never changed',
  audit_segments_no_delete: 'segments are never deleted',
  audit_segments_append_only: 'segments are only appended',
  audit_payloads_erase_only: 'payloads are only erased',
};

/** Of a table that a database has only once a supervisor of this version has started on it. */
const VERSION_TRIGGERS: Readonly<Record<string, string>> = {
  versions_no_update: 'versions are never changed',
  versions_no_delete: 'versions are never deleted',
};

/** A trigger that is gone, or refuses nothing, was taken away by hand: we never leave one out. */
export function checkTriggers(database: RowReader, findings: Findings): void {
  const get = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?");
  const hasVersions = database.prepare(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'versions'",
  );
  const triggers = { ...TRIGGERS, ...(hasVersions.get() === undefined ? {} : VERSION_TRIGGERS) };
  for (const [name, words] of Object.entries(triggers)) {
    const sql = get.get(name)?.['sql'];
    if (typeof sql === 'string' && sql.includes(`RAISE(ABORT, '${words}')`) && !isConditional(name, sql))
      continue;
    findings.add({ kind: 'trigger_missing', seq: null, message: `the trigger ${name} was taken away` });
  }
}

/** Those that refuse all changes have no condition: `WHEN 0` refuses nothing. */
function isConditional(name: string, sql: string): boolean {
  return /_no_(update|delete)$/.test(name) && /\bWHEN\b/i.test(sql);
}
