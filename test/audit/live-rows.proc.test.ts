import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type AuditEntry, eventRecord, SUPERVISOR } from '../../src/audit/record.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import { type Desk, launched, openDesk } from '../store/support.ts';
import { problemsOf } from './both-verifiers.ts';

const STARTED: RunEvent = { type: 'run.started', inputs: {}, context: { readonly: {}, mutable: {} } };
const ENDED: RunEvent = {
  type: 'run.ended',
  status: 'failed',
  reason: 'x',
  error: { code: 'INTERNAL', message: 'y' },
};

/** A run with its last record being one of an event, as where the supervisor was killed behind it. */
const STATES: Readonly<Record<string, (desk: Desk) => void>> = {
  running: () => undefined,
  paused: (desk) => {
    const audit: AuditEntry = { type: 'instance.paused', at: 5, actor: SUPERVISOR, instance: 'a', data: {} };
    desk.one('instance.pause', { id: 'a', by: 'supervisor', activeMs: null, at: 5, audit });
    append(desk, 2, { type: 'run.waiting', until: 9 });
  },
  ended: (desk) => append(desk, 2, ENDED),
};

const CHANGES = [
  "status = 'queued'",
  'ended_at = 1',
  "reason = 'nothing'",
  `error = '{"code":"Z"}'`,
  "error = 'no JSON'",
  'paused_at = 1',
  "paused_by = 'person eve'",
];

function append(desk: Desk, seq: number, event: RunEvent): void {
  const audits = [eventRecord('a', seq, event, SUPERVISOR)];
  const entries = [{ seq, at: seq, event }];
  assert.deepEqual(
    desk.one('journal.append', { id: 'a', incarnation: 1, entries, audits, approvals: null }),
    {
      lastSeq: seq,
    },
  );
}

for (const [name, make] of Object.entries(STATES))
  test(`the row of a run that is ${name} is held to its records between two ties`, () => {
    const desk = openDesk();
    try {
      desk.batch(...launched('a'));
      append(desk, 1, STARTED);
      make(desk);
      desk.leave();
      assert.deepEqual(problemsOf(desk.file), { ours: [], alone: [] });
      for (const change of CHANGES) {
        const database = new DatabaseSync(desk.file);
        database.exec(
          `PRAGMA foreign_keys = OFF; CREATE TABLE kept AS SELECT * FROM instances; UPDATE instances SET ${change}`,
        );
        const { ours, alone } = problemsOf(desk.file);
        assert.deepEqual(
          [ours, alone].map((problems) => problems.map(({ kind }) => kind)),
          [['state_mismatch'], ['state_mismatch']],
          change,
        );
        database.exec('DELETE FROM instances; INSERT INTO instances SELECT * FROM kept; DROP TABLE kept');
        database.close();
      }
    } finally {
      desk.close();
    }
  });
