import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { openPrune } from '../../src/store/audit-prune.ts';
import { openAuditReader } from '../../src/store/audit-reader.ts';
import { openApprovalsTable } from '../../src/store/tables/approvals-table.ts';
import { openArchiveTable } from '../../src/store/tables/archive-table.ts';
import { openAuditTable } from '../../src/store/tables/audit-table.ts';
import { openEventsTable } from '../../src/store/tables/events-table.ts';
import { openInstanceList } from '../../src/store/tables/instance-list.ts';
import { openInstancesTable } from '../../src/store/tables/instances-table.ts';
import { openRegistrationsTable } from '../../src/store/tables/registrations-table.ts';
import { openSchedulesTable } from '../../src/store/tables/schedules-table.ts';
import { openSegmentsTable } from '../../src/store/tables/segments-table.ts';
import { openVersionsTable } from '../../src/store/tables/versions-table.ts';
import { type Desk, openDesk } from './support.ts';

/** Notes what is prepared on it. */
class Listening extends DatabaseSync {
  readonly prepared: string[] = [];
  override prepare(sql: string): StatementSync {
    this.prepared.push(sql);
    return super.prepare(sql);
  }
}

let desk: Desk;
let database: Listening;
beforeEach(() => {
  desk = openDesk();
  database = new Listening(desk.file);
  const audit = openAuditTable(database, 'boot', join(dirname(desk.file), 'keys'));
  const instances = openInstancesTable(database);
  openPrune(database, audit, openSegmentsTable(database, audit));
  openAuditReader(database);
  openApprovalsTable(database);
  openArchiveTable(database, audit, instances);
  openEventsTable(database);
  openInstanceList(database);
  openRegistrationsTable(database);
  openSchedulesTable(database);
  openVersionsTable(database);
});
afterEach(() => {
  database.close();
  desk.close();
});

/** How SQLite answers a statement, a line each. */
function planOf(sql: string): string[] {
  const rows = DatabaseSync.prototype.prepare.call(database, `EXPLAIN QUERY PLAN ${sql}`).all();
  return rows.map(({ detail }) => String(detail));
}

/** Tables that grow with what was ever done, by the names that statements give them. */
const GROWING = /^SCAN (instances|i|events|audit|fires|f|w|approvals|documents|versions|v)( |$)/;
/** Indexes of the few rows that are not over. */
const OF_FEW = /USING (COVERING )?INDEX (instances_live|approvals_pending|audit_supervisor)$/;

/** Statements that look at all rows, and may: how they begin. */
const MAY_SCAN = [
  // All of it is what was asked for.
  'SELECT * FROM approvals ORDER BY requested_at',
  // Once a day, a bounded number of rows goes; those that stay are the last weeks'.
  'DELETE FROM fires WHERE (workflow, at) IN',
];

test('no statement looks at all that was ever done', () => {
  assert.ok(database.prepared.length > 50, 'statements are seen');
  const scanning = database.prepared
    .map((sql) => sql.replaceAll(/\s+/g, ' ').trim())
    // All of a kind, or in the order of a key, from one end, up to a limit.
    .filter((sql) => !/(= v\.definition_hash ORDER BY .*|FROM \w+ ORDER BY \w+ DESC.* LIMIT \S+)$/.test(sql))
    .filter((sql) => planOf(sql).some((line) => GROWING.test(line) && !OF_FEW.test(line)))
    .filter((sql) => !MAY_SCAN.some((beginning) => sql.startsWith(beginning)));
  assert.deepEqual(scanning, []);
});

test('fires that wait are found among those that wait', () => {
  const asking = database.prepared.filter(
    (sql) => sql.includes("status IN ('queued', 'replacing')") && !/ at = \?|DELETE/.test(sql),
  );
  assert.ok(asking.length >= 4, 'statements are seen');
  for (const sql of asking)
    assert.match(planOf(sql).join('\n'), /USING (COVERING )?INDEX fires_waiting \(workflow=\?/, sql);
});
