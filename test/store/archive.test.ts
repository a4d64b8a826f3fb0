import assert from 'node:assert/strict';
import { appendFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { anchorHead, anchorLine } from '../../src/audit/anchor.ts';
import { sha256 } from '../../src/audit/canonical.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import { SUPERVISOR } from '../../src/audit/record.ts';
import { verifyAudit } from '../../src/audit/verify/verify.ts';
import type { Answer, AuditAbout } from '../../src/store/operations.ts';
import type { ArchivedRows, RawRow } from '../../src/store/tables/archive-rows.ts';
import { type Desk, launched, openDesk, record, tamper } from './support.ts';

const DAY = 86_400_000;
let desk: Desk;
let anchor: string;
beforeEach(() => {
  desk = openDesk();
  anchor = join(dirname(desk.file), 'anchor.jsonl');
  run('a', 5);
});
afterEach(() => desk.close());

/** A run that has ended at that time. */
function run(id: string, endedAt: number): void {
  desk.batch(...launched(id));
  const started = { type: 'run.started', inputs: {}, context: { readonly: {}, mutable: {} } };
  const ended = { type: 'run.ended', status: 'completed', reason: 'completed', error: null };
  const entries = [started, ended].map((event, index) => ({ seq: index + 1, at: endedAt, event }));
  const audits = entries.map(({ event, at }) => ({
    ...record(event.type, id),
    at,
    data: event.type === 'run.ended' ? { status: 'completed', reason: 'completed' } : {},
  }));
  const done = desk.one('journal.append', {
    id,
    incarnation: 1,
    entries: entries as never,
    audits,
    approvals: null,
  });
  assert.deepEqual(done, { lastSeq: 2 });
}

const sign = (time: number): void => {
  const made = desk.one('audit.checkpoint', { at: time }) as Checkpoint | null;
  const { log, publicKey } = desk.one('audit.about', {}) as AuditAbout;
  if (!existsSync(anchor)) appendFileSync(anchor, anchorHead(log, publicKey, '/home', 1));
  if (made !== null) appendFileSync(anchor, anchorLine(made));
};
/** The kind of the first bad place, `intact` when there is none. */
const verdict = (): string => {
  const folder = dirname(desk.file);
  const keysFolder = join(folder, 'keys');
  const report = verifyAudit({
    ...{ database: desk.file, home: folder, keysFolder, anchor },
    ...{ key: null, from: 1, env: {} },
  });
  return report.first_bad?.kind ?? report.verdict;
};
const read = (id: string): { rows: ArchivedRows; events: RawRow[] } => ({
  rows: desk.one('archive.read', { id }) as ArchivedRows,
  events: desk.one('archive.events', { id, after: 0 }) as RawRow[],
});
const remove = (id: string, lastSeq = 2): unknown =>
  desk.one('archive.remove', { id, incarnation: 1, lastSeq, audit: record('instance.archived', id) });
const putBack = (id: string, { rows, events }: ReturnType<typeof read>): unknown =>
  desk.one('archive.put_back', { rows, events, audit: record('instance.unarchived', id) });
const count = (table: string): unknown => {
  const database = new DatabaseSync(desk.file, { readOnly: true });
  try {
    return database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'];
  } finally {
    database.close();
  }
};

test('the rows of an ended instance go with its documents, and come back as they were', () => {
  sign(10);
  const was = read('a');
  assert.deepEqual([was.events.length, was.rows.documents.length], [2, 1]);
  assert.deepEqual(remove('a'), { isRemoved: true });
  sign(11);
  assert.deepEqual(['instances', 'events', 'documents'].map(count), [0, 0, 1]);
  assert.deepEqual(desk.one('archive.sweep', { after: '', at: 11 }), { count: 1, next: null });
  assert.deepEqual(desk.one('archive.sweep', { after: '', at: 11 }), { count: 0, next: null });
  sign(12);
  assert.equal(count('documents'), 0);
  assert.equal(verdict(), 'intact');
  assert.equal(desk.one('archive.read', { id: 'a' }), null);
  assert.equal(putBack('a', was), null);
  sign(13);
  assert.deepEqual(desk.one('archive.sweep', { after: '', at: 14 }), { count: 0, next: null });
  assert.deepEqual(read('a'), was);
  assert.equal(verdict(), 'intact');
  assert.throws(() => new DatabaseSync(desk.file).exec('DELETE FROM events'), {
    message: 'journal events are never deleted',
  });
});

test('documents are swept page by page, and only those that nothing names', () => {
  const texts = Array.from({ length: 2500 }, (_, number) => `orphan ${number}`);
  desk.one('registration.put', {
    row: {
      name: 'w',
      version: '1',
      definitionHash: sha256('kept'),
      source: '/w',
      registeredAt: 1,
      starter: null,
    },
    documents: Object.fromEntries([...texts, 'kept'].map((text) => [sha256(text), text])),
    schedule: 'none',
    audit: { ...record('workflow.registered'), data: { workflow: 'w' } },
  });
  const counts: number[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const swept = desk.one('archive.sweep', { after, at: 9 }) as Answer<'archive.sweep'>;
    counts.push(swept.count);
    after = swept.next;
  }
  assert.equal(counts.length, 3);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    2500,
  );
  // That of the run, and that of the registration.
  assert.equal(count('documents'), 2);
});

test('one that has not ended, or went on meanwhile, is not removed', () => {
  desk.batch(...launched('live'));
  assert.deepEqual(desk.one('archive.read', { id: 'live' }), null);
  assert.deepEqual(remove('live', 0), { isRemoved: false });
  assert.deepEqual(remove('a', 1), { isRemoved: false });
  assert.deepEqual(remove('none'), { isRemoved: false });
  assert.deepEqual(['instances', 'events'].map(count), [2, 2]);
});

test('those that ended before a time are due, the oldest end first, page by page', () => {
  run('b', 4);
  run('c', 5);
  desk.batch(...launched('live'));
  const due = (from: { endedAt: number; id: string } | null, limit: number): unknown =>
    desk.one('archive.due', { before: 6, from, limit });
  const all = [
    { endedAt: 4, id: 'b' },
    { endedAt: 5, id: 'a' },
    { endedAt: 5, id: 'c' },
  ];
  assert.deepEqual(due(null, 10), all);
  assert.deepEqual(due(null, 2), all.slice(0, 2));
  assert.deepEqual(due({ endedAt: 5, id: 'a' }, 2), all.slice(2));
  assert.deepEqual(desk.one('archive.due', { before: 5, from: null, limit: 9 }), all.slice(0, 1));
});

test('what is not what was archived is not put back', () => {
  const was = read('a');
  remove('a');
  const { rows, events } = was;
  const bad: [string, ReturnType<typeof read>][] = [
    ['fewer events', { rows, events: events.slice(0, 1) }],
    ['an event changed', { rows, events: events.map((event) => ({ ...event, at: 9 })) }],
    ['the row changed', { rows: { ...rows, instance: { ...rows.instance, workflow: 'x' } }, events }],
    ['a column too many', { rows: { ...rows, instance: { ...rows.instance, more: 1 } }, events }],
  ];
  for (const [name, what] of bad) assert.equal(putBack('a', what), 'ARCHIVE_DAMAGED', name);
  assert.equal(count('instances'), 0);
  assert.equal(putBack('a', was), null);
  assert.equal(putBack('a', was), 'ARCHIVE_DAMAGED');
});

test('the audit log stays intact when its records are pruned, and forgets what is archived', () => {
  run('b', 6);
  const was = read('a');
  remove('a');
  sign(DAY + 1);
  sign(2 * DAY + 1);
  const prune = (at: number): unknown =>
    desk.one('audit.prune', { before: at, at: 9 * DAY, actor: SUPERVISOR });
  assert.notEqual(prune(DAY), null);
  sign(9 * DAY);
  assert.equal(verdict(), 'intact');
  const database = new DatabaseSync(desk.file, { readOnly: true });
  const heads = JSON.parse(String(database.prepare('SELECT body FROM audit_heads').get()?.['body'])) as {
    instances: object;
  };
  database.close();
  assert.deepEqual(Object.keys(heads.instances), ['b']);
  // Its record is gone, so its own digests have to vouch for it.
  assert.equal(putBack('a', was), null);
  sign(9 * DAY + 1);
  assert.equal(verdict(), 'intact');
  tamper(desk.file, "DROP TRIGGER events_no_update; UPDATE events SET at = 4 WHERE instance = 'a'");
  assert.equal(verdict(), 'journal_mismatch');
});

test('an archived instance whose row is here again without a record is found', () => {
  const database = new DatabaseSync(desk.file);
  database.exec('CREATE TEMP TABLE copy AS SELECT * FROM instances');
  remove('a');
  sign(10);
  assert.equal(verdict(), 'intact');
  database.exec('PRAGMA foreign_keys = OFF; INSERT INTO instances SELECT * FROM copy');
  database.close();
  assert.equal(verdict(), 'state_mismatch');
});

test('fires of long ago go, but the last one of a workflow, what waits and what has an instance', () => {
  const row = {
    name: 'w',
    version: '1.0.0',
    definitionHash: 'd',
    source: '/w',
    registeredAt: 0,
    starter: null,
  };
  desk.one('registration.put', { row, documents: { d: '{}' }, schedule: 'has', audit: record('registered') });
  const decide = (at: number, status: 'skipped' | 'queued', instance: string | null = null): unknown =>
    desk.one('fire.decide', {
      fire: {
        row: { workflow: 'w', at, status, instance, reason: null, decidedAt: at },
        from: 'plan',
        audit: record('schedule.skipped'),
      },
    });
  decide(10, 'skipped', 'a');
  decide(20, 'skipped');
  decide(30, 'queued');
  decide(40, 'skipped');
  decide(50, 'skipped');
  assert.deepEqual(desk.one('fire.prune', { before: 45, at: 99 }), { count: 2 });
  const known = (): unknown => desk.one('fire.known', { workflow: 'w', after: 0, until: 99 });
  assert.deepEqual(known(), [10, 30, 50]);
  remove('a');
  assert.deepEqual(desk.one('fire.prune', { before: 99, at: 99 }), { count: 1 });
  assert.deepEqual(known(), [30, 50]);
  assert.deepEqual(desk.one('fire.prune', { before: 99, at: 99 }), { count: 0 });
});
