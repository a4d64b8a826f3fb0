import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { sha256 } from '../../src/audit/canonical.ts';
import type { VersionRow } from '../../src/store/tables/version-rows.ts';
import { type Desk, launched, openDesk, record } from './support.ts';

let desk: Desk;
beforeEach(() => {
  desk = openDesk();
});
afterEach(() => desk.close());

function register(name: string, text: string, version = '1.0.0'): unknown {
  const definitionHash = sha256(text);
  return desk.one('registration.put', {
    row: { name, version, definitionHash, source: `/${name}.json`, registeredAt: 1, starter: null },
    documents: { [definitionHash]: text },
    schedule: 'none',
    audit: { ...record('workflow.registered'), data: { workflow: name } },
  });
}

/** `number current? runs` of each. */
function list(workflow: string | null): string[] {
  const rows = desk.one('version.list', { workflow }) as VersionRow[];
  return rows.map(
    (row) => `${row.workflow}@${row.number}${row.isCurrent ? ' current' : ''}, ${row.runs} runs`,
  );
}

test('content is numbered once under each name, and known content becomes current again', () => {
  assert.deepEqual(register('a', 'one'), { number: 1, isNew: true });
  assert.deepEqual(register('a', 'two'), { number: 2, isNew: true });
  assert.deepEqual(register('b', 'two'), { number: 1, isNew: true });
  assert.deepEqual(list(null), ['a@1, 0 runs', 'a@2 current, 0 runs', 'b@1 current, 0 runs']);
  assert.deepEqual(register('a', 'one'), { number: 1, isNew: false });
  assert.deepEqual(list('a'), ['a@1 current, 0 runs', 'a@2, 0 runs']);
});

test('numbers outlive the name, so that one never means two contents', () => {
  register('a', 'one');
  desk.one('registration.remove', {
    name: 'a',
    audit: { ...record('workflow.unregistered'), data: { workflow: 'a' } },
  });
  assert.deepEqual(list('a'), ['a@1, 0 runs']);
  assert.deepEqual(register('a', 'two'), { number: 2, isNew: true });
});

test('runs are counted by what they have, and the content of a version is never swept', () => {
  register('w', '{}');
  register('w', 'two');
  desk.batch(...launched('i'));
  assert.deepEqual(list('w'), ['w@1, 1 runs', 'w@2 current, 0 runs']);
  register('w', 'three');
  desk.one('archive.sweep', { after: '', at: 9 });
  for (const text of ['{}', 'two', 'three'])
    assert.equal(desk.one('document.get', { hash: sha256(text) }), text);
});

test('a version cannot be changed or taken away', () => {
  register('a', 'one');
  desk.leave();
  const database = new DatabaseSync(desk.file);
  try {
    assert.throws(() => database.exec("UPDATE versions SET source = '/x'"), /versions are never changed/);
    assert.throws(() => database.exec('DELETE FROM versions'), /versions are never deleted/);
  } finally {
    database.close();
  }
});

test('a run that is opened again has the new definition from the same commit on', () => {
  desk.batch(...launched('i'));
  const event = { type: 'run.ended', status: 'failed', reason: 'x', error: null } as const;
  desk.one('journal.close', { id: 'i', incarnation: 1, events: [event], at: 5 });
  const [definition, pins] = [sha256('new'), sha256('pins')];
  const limits = { memoryBytes: 2, cpuPercent: 2, processes: 2, executionMs: 2, concurrentSteps: 2 };
  const change = {
    version: '2.0.0',
    definitionHash: definition,
    pinsHash: pins,
    source: '/new.json',
    limits,
    notice: null,
    lastSeq: 1,
    documents: { [definition]: 'new', [pins]: 'pins' },
  };
  const audit = record('instance.resume_requested', 'i');
  const late = { ...change, lastSeq: 0 };
  assert.equal(
    desk.one('instance.requeue', { id: 'i', from: null, change: late, at: 6, audit }),
    'NOT_RESUMABLE',
  );
  assert.equal(desk.one('instance.requeue', { id: 'i', from: 'b', change, at: 6, audit }), null);
  const row = desk.one('instance.get', { id: 'i' }) as Record<string, unknown>;
  const { version, definitionHash, pinsHash, source, status, resumeFrom } = row;
  assert.deepEqual(
    { version, definitionHash, pinsHash, source, status, resumeFrom, limits: row['limits'] },
    {
      version: '2.0.0',
      definitionHash: definition,
      pinsHash: pins,
      source: '/new.json',
      status: 'queued',
      resumeFrom: 'b',
      limits,
    },
  );
  assert.equal(desk.one('document.get', { hash: definition }), 'new');
  // A second one finds it open already, and changes nothing.
  const again = { ...change, version: '3.0.0' };
  assert.equal(
    desk.one('instance.requeue', { id: 'i', from: null, change: again, at: 7, audit }),
    'NOT_RESUMABLE',
  );
  assert.equal((desk.one('instance.get', { id: 'i' }) as { version: string }).version, '2.0.0');
});

test('starts of which no event came are counted from the last one that was heard', () => {
  desk.batch(...launched('i'));
  assert.equal(desk.one('journal.unheard', { id: 'i' }), 1);
  const started = { type: 'run.started', inputs: {}, context: { readonly: {}, mutable: {} } } as const;
  const entries = [{ seq: 1, at: 1, event: started }];
  desk.one('journal.append', {
    id: 'i',
    incarnation: 1,
    entries,
    audits: [record('run.started', 'i')],
    approvals: null,
  });
  assert.equal(desk.one('journal.unheard', { id: 'i' }), 0);
});
