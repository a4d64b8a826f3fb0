import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import type { AuditEntry } from '../../src/audit/record.ts';
import type { JournalEntry } from '../../src/engine/events.ts';
import type { Arguments, JournalPage } from '../../src/store/operations.ts';
import { readJournal } from '../../src/store/read-journal.ts';
import type { Store } from '../../src/store/store.ts';
import { brokenAt, type Desk, launched, openDesk, record, tamper } from './support.ts';

let desk: Desk;
beforeEach(() => {
  desk = openDesk();
});
afterEach(() => desk.close());

const started: JournalEntry['event'] = {
  type: 'run.started',
  inputs: {},
  context: { readonly: {}, mutable: {} },
};
const ended: JournalEntry['event'] = { type: 'run.ended', status: 'failed', reason: 'x', error: null };
const entry = (seq: number, event = started): JournalEntry => ({ seq, at: seq, event });
const append = (entries: readonly JournalEntry[], incarnation = 1): unknown =>
  desk.one('journal.append', {
    approvals: null,
    id: 'a',
    incarnation,
    entries,
    audits: entries.map((e) => record(e.event.type, 'a')),
  });
const auditCount = (): number => (desk.one('audit.head', {}) as { seq: number }).seq;
const codes = (replies: readonly object[]): unknown[] =>
  replies.map((reply) => ('error' in reply ? (reply.error as { code: string }).code : 'done'));

test('a batch commits together, and another connection sees all of it', () => {
  assert.deepEqual(codes(desk.batch(...launched('a'), ...launched('b'))), ['done', 'done', 'done', 'done']);
  const other = new DatabaseSync(desk.file, { readOnly: true });
  assert.equal(other.prepare('SELECT count(*) AS n FROM instances').get()?.['n'], 2);
  other.close();
  assert.equal(auditCount(), 4);
});

test('one request that fails is rolled back alone, with its record, and the chain stays whole', () => {
  const replies = desk.batch(...launched('a'), ...launched('a'), [
    'audit.append',
    { entries: [record('after')] },
  ]);
  assert.deepEqual(codes(replies), ['done', 'done', 'INTERNAL', 'INTERNAL', 'done']);
  assert.equal(auditCount(), 3);
  assert.equal(brokenAt(desk.file), null);
});

test('what fails in its second half leaves nothing of its first', () => {
  desk.batch(...launched('a'));
  const loose = { ...record('bad'), data: { number: Number.NaN } };
  assert.equal(desk.one('audit.append', { entries: [record('good'), loose] }), 'INTERNAL');
  assert.equal(
    desk.one('journal.append', {
      approvals: null,
      id: 'a',
      incarnation: 1,
      entries: [entry(1)],
      audits: [loose],
    }),
    'INTERNAL',
  );
  assert.deepEqual(desk.one('journal.read', { id: 'a', afterSeq: 0 }), { entries: [], next: null });
  assert.equal(auditCount(), 2);
  assert.equal(desk.one('audit.append', { entries: [record('good')] }), null);
  assert.equal(brokenAt(desk.file), null);
});

test('an event that is sent again counts once, together with its record', () => {
  desk.batch(...launched('a'));
  assert.deepEqual(append([entry(1), entry(2)]), { lastSeq: 2 });
  assert.deepEqual(append([entry(1), entry(2), entry(3)]), { lastSeq: 3 });
  assert.equal((desk.one('journal.read', { id: 'a', afterSeq: 0 }) as JournalPage).entries.length, 3);
  assert.equal(auditCount(), 2 + 3);
});

test('a long journal, and one of large events, is read in pages that hold up nothing', async () => {
  desk.batch(...launched('a'), ...launched('b'));
  append(Array.from({ length: 4500 }, (_, index) => entry(index + 1)));
  const large: JournalEntry['event'] = { ...started, inputs: { text: 'x'.repeat(3 * 1024 * 1024) } };
  const entries = [entry(1, large), entry(2, large), entry(3)];
  const audits = entries.map(() => record('test', 'b'));
  desk.one('journal.append', { approvals: null, id: 'b', incarnation: 1, entries, audits });
  const sizes: number[] = [];
  const call = async (name: 'journal.read', args: Arguments<'journal.read'>): Promise<JournalPage> => {
    const page = desk.one(name, args) as JournalPage;
    sizes.push(page.entries.length);
    return page;
  };
  const store = { call: call as Store['call'] };
  assert.deepEqual(
    (await readJournal(store, 'a')).map(({ seq }) => seq),
    Array.from({ length: 4500 }, (_, index) => index + 1),
  );
  assert.deepEqual(await readJournal(store, 'b'), entries);
  assert.deepEqual(sizes, [2000, 2000, 500, 2, 1]);
});

test('a gap, another incarnation and an unknown instance are refused and nothing is kept', () => {
  desk.batch(...launched('a'));
  assert.equal(append([entry(1), entry(3)]), 'INTERNAL');
  assert.equal(append([entry(1)], 0), 'INTERNAL');
  assert.equal(append([entry(1)], 2), 'INTERNAL');
  assert.equal(
    desk.one('journal.append', { approvals: null, id: 'z', incarnation: 1, entries: [entry(1)], audits: [] }),
    'INTERNAL',
  );
  assert.deepEqual(desk.one('journal.read', { id: 'a', afterSeq: 0 }), { entries: [], next: null });
  assert.equal(auditCount(), 2);
});

test('an incarnation starts only as the next one of a run that has not ended', () => {
  const [create, launch] = launched('a');
  assert.ok(create !== undefined && launch !== undefined);
  const again = (incarnation: number): unknown =>
    codes(desk.batch([launch[0], { ...launch[1], incarnation }]))[0];
  desk.batch(create, launch);
  assert.deepEqual([again(1), again(3), again(2)], ['INTERNAL', 'INTERNAL', 'done']);
  desk.one('journal.close', { id: 'a', incarnation: 2, events: [ended], at: 9 });
  assert.equal(again(3), 'INTERNAL');
});

test('a run gets one end, and is opened again once for it', () => {
  desk.batch(...launched('a'));
  const close = (): unknown => desk.one('journal.close', { id: 'a', incarnation: 1, events: [ended], at: 9 });
  const requeue = (): unknown =>
    desk.one('instance.requeue', {
      id: 'a',
      from: null,
      change: null,
      at: 9,
      audit: record('instance.resume_requested'),
    });
  assert.equal(requeue(), 'NOT_RESUMABLE');
  assert.deepEqual(close(), { entries: [{ seq: 1, at: 9, event: ended }] });
  assert.deepEqual(close(), { entries: [] });
  assert.deepEqual([requeue(), requeue()], [null, 'NOT_RESUMABLE']);
  assert.equal(auditCount(), 2 + 1 + 1);
});

test('the active time of a run is what it was told, and by the wall clock where nobody knows', () => {
  desk.batch(...launched('a'), ...launched('b'));
  const told = { usage: null, fruitless: 0, incarnation: 1, at: 3_600_002 };
  desk.one('instance.pause', {
    id: 'a',
    by: 'x',
    activeMs: 40,
    at: 3_600_002,
    audit: record('instance.paused', 'a'),
  });
  // Nothing is active while it is paused: the end of its process adds nothing.
  desk.one('instance.exited', { ...told, id: 'a', activeMs: 70, audit: record('instance.exited', 'a') });
  desk.one('instance.exited', { ...told, id: 'b', activeMs: null, audit: record('instance.exited', 'b') });
  const rows = ['a', 'b'].map((id) => desk.one('instance.get', { id }) as { activeMs: number });
  assert.deepEqual(
    rows.map(({ activeMs }) => activeMs),
    [40, 3_600_000],
  );
});

test('the latest instance is not one of a clock that was ahead, unless there is no other', () => {
  const latest = (now: number): unknown => desk.one('instance.latest', { now });
  assert.equal(latest(5), null);
  const [create] = launched('ahead');
  const [old] = launched('old');
  if (create === undefined || old === undefined) assert.fail();
  desk.batch([create[0], { ...create[1], at: 9000 }]);
  assert.equal(latest(5), 'ahead');
  desk.batch(old);
  assert.deepEqual([latest(5), latest(9000)], ['old', 'ahead']);
});

test('a batch of records is appended once under its name, and not at all when one of them cannot be', () => {
  const once = (batch: string, ...entries: AuditEntry[]): unknown =>
    desk.one('audit.append_once', { batch, entries, latches: [] });
  const loose = { ...record('bad'), data: { number: Number.NaN } };
  assert.equal(once('a', record('x'), loose), 'INTERNAL');
  assert.deepEqual(once('a', record('x'), record('y')), { isNew: true });
  assert.deepEqual(once('a', record('x'), record('y')), { isNew: false });
  assert.deepEqual(once('b', record('x')), { isNew: true });
  assert.equal(auditCount(), 3);
  assert.equal(brokenAt(desk.file), null);
});

test('when nothing works any more each request of a batch still gets its answer', () => {
  const other = openDesk();
  other.batch(...launched('a'));
  other.writer.close();
  for (let turn = 0; turn < 2; turn += 1)
    assert.deepEqual(codes(other.batch(...launched('b'), ['audit.head', {}])), [
      'INTERNAL',
      'INTERNAL',
      'INTERNAL',
    ]);
  rmSync(dirname(other.file), { recursive: true });
});

test('an edited, a deleted, a swapped and an added record are found by computing the chain again', () => {
  const body = `replace(body, '"at":1', '"at":2')`;
  for (const [sql, at] of [
    [`UPDATE audit SET body = ${body} WHERE seq = 3`, 3],
    ['DELETE FROM audit WHERE seq = 2', 2],
    ['DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2', 2],
    [
      'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99',
      2,
    ],
    ['INSERT INTO audit SELECT 6, at, type, instance, body, hash, seal FROM audit WHERE seq = 5', 6],
  ] as const) {
    const other = openDesk();
    other.batch(
      ...[1, 2, 3, 4, 5].map((n): ['audit.append', object] => [
        'audit.append',
        { entries: [record(`r${n}`)] },
      ]),
    );
    assert.equal(brokenAt(other.file), null);
    tamper(other.file, sql);
    assert.equal(brokenAt(other.file), at, sql);
    other.close();
  }
});

test('triggers refuse to change or delete audit records and journal events', () => {
  desk.batch(...launched('a'));
  append([entry(1)]);
  const other = new DatabaseSync(desk.file);
  const refused = (sql: string, message: RegExp): void => assert.throws(() => other.exec(sql), { message });
  refused("UPDATE audit SET type = 'x'", /audit rows are never changed/);
  refused('DELETE FROM audit', /audit rows are never deleted/);
  refused("UPDATE events SET body = '{}'", /journal events are never changed/);
  refused(
    "INSERT OR REPLACE INTO audit SELECT seq, at, 'x', instance, body, hash, seal FROM audit",
    /audit rows are only appended/,
  );
  refused(
    'INSERT OR REPLACE INTO events SELECT instance, seq, 7, at, body FROM events',
    /journal events are never replaced/,
  );
  other.close();
});
