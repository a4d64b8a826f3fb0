import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  APPLICATION_ID,
  checkVersion,
  migrate,
  SCHEMA_VERSION,
} from '../../../src/store/tables/migrations.ts';

const pragma = (database: DatabaseSync, name: string): unknown =>
  database.prepare(`PRAGMA ${name}`).get()?.[name];

test('a new database is brought to the version of this program and marked as ours; a second time changes nothing', () => {
  const database = new DatabaseSync(':memory:');
  for (let turn = 0; turn < 2; turn += 1) {
    checkVersion(database);
    migrate(database);
    assert.deepEqual(
      [pragma(database, 'user_version'), pragma(database, 'application_id')],
      [SCHEMA_VERSION, APPLICATION_ID],
    );
  }
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  assert.deepEqual(
    tables.map(({ name }) => name),
    [
      'approvals',
      'audit',
      'audit_checkpoints',
      'audit_heads',
      'audit_payloads',
      'audit_segments',
      'documents',
      'events',
      'fires',
      'instances',
      'kill_latches',
      'meta',
      'registrations',
      'schedules',
      'versions',
    ],
  );
});

test('a newer version is refused with both numbers', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  assert.throws(() => checkVersion(database), {
    message: `the file has schema version ${SCHEMA_VERSION + 1}, this program knows up to ${SCHEMA_VERSION}`,
  });
});

test('a database of another program is refused, marked or not', () => {
  for (const sql of ['CREATE TABLE theirs (x)', 'PRAGMA application_id = 7', 'PRAGMA user_version = 1']) {
    const database = new DatabaseSync(':memory:');
    database.exec(sql);
    assert.throws(
      () => checkVersion(database),
      { message: 'the file is a database of another program' },
      sql,
    );
  }
});
