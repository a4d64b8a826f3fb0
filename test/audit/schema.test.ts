import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { checkTriggers } from '../../src/audit/verify/schema.ts';
import { openFindings } from '../../src/audit/verify/verdict.ts';
import { migrate } from '../../src/store/tables/migrations.ts';

function missingAfter(sql: string): string[] {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  database.exec(sql);
  const findings = openFindings(0);
  checkTriggers(database, findings);
  database.close();
  return findings.sorted().map(({ kind, message }) => `${kind}: ${message}`);
}

test('the triggers of a table are asked for where the database has the table', () => {
  assert.deepEqual(missingAfter(''), []);
  assert.deepEqual(missingAfter('DROP TRIGGER versions_no_update'), [
    'trigger_missing: the trigger versions_no_update was taken away',
  ]);
  // As it is until a supervisor of this version has started once.
  assert.deepEqual(missingAfter('DROP TABLE versions'), []);
});

test('a trigger that is none of ours is found, in a database of this version too', () => {
  assert.deepEqual(missingAfter('CREATE TRIGGER other AFTER INSERT ON meta BEGIN SELECT 1; END'), [
    'trigger_added: the trigger other is none of ours',
  ]);
});
