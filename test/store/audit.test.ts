import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { anchorHead, anchorLine } from '../../src/audit/anchor.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import { isSignedBy } from '../../src/audit/keys.ts';
import { type AuditEntry, chainHash, genesisHash, SUPERVISOR } from '../../src/audit/record.ts';
import { type VerifyReport, verifyAudit } from '../../src/audit/verify/verify.ts';
import type { PrunedSegment } from '../../src/store/audit-prune.ts';
import type { AuditPage } from '../../src/store/audit-reader.ts';
import type { AuditAbout } from '../../src/store/operations.ts';
import { openWriter } from '../../src/store/writer.ts';
import { type Desk, launched, openDesk, record, tamper } from './support.ts';

const DAY = 86_400_000;
let desk: Desk;
let anchor: string;
beforeEach(() => {
  desk = openDesk();
  anchor = join(dirname(desk.file), 'anchor.jsonl');
});
afterEach(() => desk.close());

const about = (): AuditAbout => desk.one('audit.about', {}) as AuditAbout;
const append = (...entries: AuditEntry[]): unknown => desk.one('audit.append', { entries });
const at = (time: number, type = 'test', more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...record(type),
  at: time,
  ...more,
});
/** Signs the head and anchors it, as the supervisor does. */
const sign = (time: number): Checkpoint | null => {
  const made = desk.one('audit.checkpoint', { at: time }) as Checkpoint | null;
  const { log, publicKey } = about();
  if (!existsSync(anchor)) appendFileSync(anchor, anchorHead(log, publicKey, '/home', 1));
  if (made !== null) appendFileSync(anchor, anchorLine(made));
  return made;
};
const verify = (more: Partial<Parameters<typeof verifyAudit>[0]> = {}): VerifyReport =>
  verifyAudit({
    database: desk.file,
    home: dirname(desk.file),
    keysFolder: join(dirname(desk.file), 'keys'),
    anchor,
    key: null,
    from: 1,
    env: {},
    ...more,
  });
const first = (report: VerifyReport): unknown[] => [
  report.verdict,
  report.first_bad?.kind ?? null,
  report.first_bad?.seq ?? null,
];
const types = (): unknown[] => {
  const database = new DatabaseSync(desk.file, { readOnly: true });
  const rows = database.prepare('SELECT type FROM audit ORDER BY seq').all();
  database.close();
  return rows.map(({ type }) => type);
};

test('the key of a log is made once, readable by its owner alone, and is not in the database', () => {
  const [file = ''] = readdirSync(join(dirname(desk.file), 'keys'));
  assert.equal(file, `audit-${about().log}.key`);
  assert.equal(statSync(join(dirname(desk.file), 'keys', file)).mode & 0o777, 0o600);
  const before = about().publicKey;
  assert.match(before, /^ed25519:[\w-]{43}$/);
  desk.leave();
  const again = openWriter(desk.file, 'boot');
  const [reply] = again.run([{ id: 1, name: 'audit.about', args: {} }]);
  assert.equal(reply !== undefined && 'answer' in reply && (reply.answer as AuditAbout).publicKey, before);
  again.close();
});

test('a checkpoint signs the head, names the one before it, and comes only when there is something new', () => {
  assert.equal(sign(1), null);
  append(at(1), at(2));
  const one = sign(3);
  assert.equal(sign(4), null);
  append(at(5));
  const two = sign(6);
  assert.ok(one !== null && two !== null);
  assert.deepEqual([one.number, one.seq, two.number, two.seq], [1, 2, 2, 3]);
  assert.ok(isSignedBy(about().publicKey, two.body, two.signature));
  assert.equal(isSignedBy(about().publicKey, `${two.body} `, two.signature), false);
  assert.deepEqual(first(verify()), ['intact', null, null]);
  assert.equal(verify().signed_through, 3);
});

test('a payload is kept beside its record, is erased with a record, and both are verified', () => {
  append(at(1, 'tool', { payload: { text: 'secret' } }), at(1, 'tool', { payload: { text: 'other' } }));
  sign(2);
  assert.deepEqual((desk.one('audit.show', { seq: 1 }) as { payload: unknown }).payload, {
    state: 'kept',
    body: '{"text":"secret"}',
  });
  const erase = (seq: number): unknown => desk.one('audit.erase', { seq, at: 3, actor: SUPERVISOR });
  assert.deepEqual(
    [erase(1), erase(1), erase(3), erase(99)],
    [{ isErased: true }, { isErased: false }, { isErased: false }, { isErased: false }],
  );
  assert.deepEqual((desk.one('audit.show', { seq: 1 }) as { payload: unknown }).payload, { state: 'gone' });
  assert.deepEqual(types(), ['tool', 'tool', 'audit.payload_erased']);
  sign(4);
  assert.deepEqual(first(verify()), ['intact', null, null]);
  tamper(
    desk.file,
    `DROP TRIGGER audit_payloads_erase_only; UPDATE audit_payloads SET body = NULL, erased_at = 1`,
  );
  assert.deepEqual(first(verify()), ['tampered', 'payload_mismatch', 2]);
});

test('a payload that was changed or deleted is found', () => {
  append(at(1, 'tool', { payload: [1] }), at(1, 'tool', { payload: [2] }));
  sign(2);
  tamper(
    desk.file,
    `DROP TRIGGER audit_payloads_erase_only; UPDATE audit_payloads SET body = '[3]' WHERE body = '[2]'`,
  );
  assert.deepEqual(first(verify()), ['tampered', 'payload_mismatch', 2]);
  const database = new DatabaseSync(desk.file);
  database.exec('DELETE FROM audit_payloads');
  database.close();
  assert.deepEqual(first(verify()), ['tampered', 'payload_mismatch', 1]);
});

/** Three days, a run on the first of them. */
const threeDays = (): void => {
  desk.batch(...launched('a'));
  const event = {
    seq: 1,
    at: 3,
    event: { type: 'run.started', inputs: {}, context: { readonly: {}, mutable: {} } },
  };
  desk.one('journal.append', {
    approvals: null,
    id: 'a',
    incarnation: 1,
    entries: [event as never],
    audits: [record('run.started', 'a')],
  });
  append(at(10, 'tool', { payload: [1] }));
  sign(100);
  sign(DAY + 1);
  append(at(DAY + 2), at(DAY + 3, 'tool', { payload: [2] }));
  sign(2 * DAY + 1);
  append(at(2 * DAY + 2));
  sign(2 * DAY + 3);
};
const prune = (before: number): unknown =>
  desk.one('audit.prune', { before, at: 9 * DAY, actor: SUPERVISOR });

test('a segment is sealed when its day is over, and only whole ones that are old enough are pruned', () => {
  threeDays();
  assert.deepEqual(types(), [
    'instance.created',
    'instance.launched',
    'run.started',
    'tool',
    'audit.sealed',
    'test',
    'tool',
    'audit.sealed',
    'test',
  ]);
  assert.deepEqual(first(verify()), ['intact', null, null]);
  assert.equal(prune(10), null);
  const pruned = prune(DAY) as { first: number; last: number };
  assert.deepEqual([pruned.first, pruned.last], [1, 4]);
  assert.equal(prune(DAY), null);
  assert.deepEqual(types(), ['audit.sealed', 'test', 'tool', 'audit.sealed', 'test', 'audit.pruned']);
  sign(9 * DAY);
  const report = verify();
  assert.deepEqual(first(report), ['intact', null, null], JSON.stringify(report.problems));
  assert.deepEqual([report.first_seq, report.last_seq], [5, 11]);
  // The trigger stands again.
  const database = new DatabaseSync(desk.file);
  assert.throws(() => database.exec('DELETE FROM audit'), { message: 'audit rows are never deleted' });
  const kept = database.prepare('SELECT body FROM audit_payloads').all();
  database.close();
  assert.deepEqual(
    kept.map(({ body }) => body),
    ['[2]'],
  );
  assert.notEqual(prune(20 * DAY), null);
  sign(10 * DAY);
  assert.deepEqual(first(verify()), ['intact', null, null], JSON.stringify(verify().problems));
});

for (const [name, sql, kind, seq] of [
  ['more deleted than was pruned', 'DELETE FROM audit WHERE seq = 5', 'missing', 1],
  [
    'a segment edited',
    'UPDATE audit_segments SET body = replace(body, \'"bytes":\', \'"bytes":1\') WHERE number = 1',
    'segment_edited',
    1,
  ],
  ['a segment deleted', 'DELETE FROM audit_segments WHERE number = 1', 'segment_edited', 5],
  ['the last segment deleted', 'DELETE FROM audit_segments WHERE number = 3', 'segment_edited', 11],
  [
    'the heads edited',
    'UPDATE audit_heads SET body = replace(body, \'"a":\', \'"b":\')',
    'state_mismatch',
    10,
  ],
  ['the heads deleted', 'DELETE FROM audit_heads', 'state_mismatch', 10],
  ['an event edited of which the record was pruned', 'UPDATE events SET at = 4', 'journal_mismatch', null],
  [
    'the row edited of a run of which the records were pruned',
    "UPDATE instances SET status = 'completed'",
    'state_mismatch',
    3,
  ],
] as const)
  test(`of a pruned log, ${name} is found`, () => {
    threeDays();
    prune(DAY);
    sign(9 * DAY);
    assert.deepEqual(first(verify()), ['intact', null, null], JSON.stringify(verify().problems));
    tamper(
      desk.file,
      `DROP TRIGGER audit_segments_no_update; DROP TRIGGER audit_segments_no_delete; DROP TRIGGER events_no_update; ${sql}`,
    );
    assert.deepEqual(first(verify()), ['tampered', kind, seq], JSON.stringify(verify().problems));
  });

test('records that were deleted up to the end of a segment, without a record of it, are missing', () => {
  threeDays();
  tamper(desk.file, 'DELETE FROM audit WHERE seq <= 4');
  assert.deepEqual(first(verify()), ['tampered', 'missing', 1]);
});

test('days that are over before the time asked for are passed over, but for one where the clock was ahead', () => {
  for (let day = 1; day <= 8; day += 1) {
    append(...Array.from({ length: 2500 }, (_, index) => at(day * DAY + index)));
    // A clock that was wrong for a moment.
    if (day === 2) append(at(100 * DAY, 'ahead'));
    desk.one('audit.checkpoint', { at: (day + 1) * DAY });
  }
  append(at(9 * DAY, 'open'));
  const read = (order: 'oldest' | 'newest', from: number): { types: string[]; pages: number } => {
    const found: string[] = [];
    let pages = 0;
    const query = { order, since: 8 * DAY + 2499, until: null, type: null, instance: null, limit: 100 };
    for (let next: number | null = from; next !== null; pages += 1) {
      const page = desk.one('audit.read', { ...query, from: next }) as AuditPage;
      found.push(...page.rows.map(({ body }) => (JSON.parse(body) as AuditEntry).type));
      next = page.next;
    }
    return { types: found, pages };
  };
  const types = ['ahead', 'test', 'audit.sealed', 'open'];
  // One page is 5,000 records at most: all of them would be five.
  assert.deepEqual(read('oldest', 0), { types, pages: 2 });
  assert.deepEqual(read('newest', Number.MAX_SAFE_INTEGER), { types: types.toReversed(), pages: 3 });
});

test('a large segment is looked at in parts, and removed as one', () => {
  threeDays();
  append(...Array.from({ length: 4500 }, (_, index) => at(2 * DAY + 4, 'test', { data: { index } })));
  sign(3 * DAY);
  const before = types().length;
  // Two of a few records, one of three parts, and no more.
  const steps = Array.from({ length: 6 }, () => prune(20 * DAY)) as (PrunedSegment | 'reading' | null)[];
  assert.deepEqual(
    steps.map((step) => (step === null || step === 'reading' ? step : step.last - step.first + 1)),
    [4, 3, 'reading', 'reading', 4502, null],
  );
  assert.equal(types().length, before - 4 - 3 - 4502 + 3);
  sign(10 * DAY);
  assert.deepEqual(first(verify()), ['intact', null, null], JSON.stringify(verify().problems));
});

test('a record that was edited in the last part keeps all of a large segment', () => {
  append(...Array.from({ length: 4500 }, (_, index) => at(1, 'test', { data: { index } })));
  sign(DAY);
  tamper(desk.file, "UPDATE audit SET body = replace(body, '4399', '4398') WHERE seq = 4400");
  const before = types().length;
  assert.deepEqual(
    Array.from({ length: 4 }, () => prune(20 * DAY)),
    ['reading', 'reading', 'AUDIT_TAMPERED', 'reading'],
  );
  assert.equal(types().length, before);
});

test('what is not what was sealed is not pruned', () => {
  threeDays();
  tamper(
    desk.file,
    `UPDATE audit SET body = replace(body, '"test"', '"tset"'); UPDATE audit SET at = 3 WHERE seq = 2; UPDATE audit SET body = replace(body, '"at":1', '"at":2') WHERE seq = 2`,
  );
  assert.equal(prune(DAY), 'AUDIT_TAMPERED');
  assert.equal(types().length, 9);
});

test('a key that is gone is replaced with a record, and what it signs is doubted', () => {
  append(at(1), at(2));
  sign(3);
  desk.leave();
  rmSync(join(dirname(desk.file), 'keys'), { recursive: true });
  const writer = openWriter(desk.file, 'boot');
  const made = writer.run([{ id: 1, name: 'audit.checkpoint', args: { at: 4 } }])[0];
  writer.close();
  assert.ok(made !== undefined && 'answer' in made);
  appendFileSync(anchor, anchorLine(made.answer as Checkpoint));
  assert.deepEqual(types(), ['test', 'test', 'audit.key_replaced']);
  const report = verify();
  assert.deepEqual(report.verdict, 'unknown');
  assert.deepEqual(report.doubts, [
    'records from 3 on are signed by a key that the anchor does not begin with',
  ]);
  const key = (JSON.parse((made.answer as Checkpoint).body) as { key: string }).key;
  assert.equal(verify({ key, from: 3 }).verdict, 'unknown');
});

test('a log of another key in the same state folder is a log that was replaced', () => {
  append(at(1));
  const folder = dirname(desk.file);
  const other = randomUUID();
  const { log } = about();
  renameSync(join(folder, 'keys', `audit-${log}.key`), join(folder, 'keys', `audit-${other}.key`));
  // The other log had an anchor with a checkpoint.
  const stray = openDesk();
  stray.one('audit.append', { entries: [at(1), at(2)] });
  const { log: strayLog } = stray.one('audit.about', {}) as AuditAbout;
  const made = stray.one('audit.checkpoint', { at: 3 }) as Checkpoint;
  renameSync(join(folder, 'keys', `audit-${other}.key`), join(folder, 'keys', `audit-${strayLog}.key`));
  appendFileSync(anchor, anchorLine(made));
  stray.close();
  const report = verify();
  assert.deepEqual(first(report), ['tampered', 'log_replaced', 1]);
  assert.equal(
    report.first_bad?.message,
    `the database holds the log ${log}, and this state folder had the log ${strayLog} with 2 records`,
  );
  const gone = verify({ database: join(folder, 'none.db') });
  assert.deepEqual(first(gone), ['tampered', 'database_missing', 1]);
});

test('without a database and without a key of one nothing can be told', () => {
  const folder = dirname(desk.file);
  const report = verify({ database: join(folder, 'none.db'), keysFolder: join(folder, 'none') });
  assert.deepEqual(
    [report.verdict, report.doubts],
    ['unknown', [`there is no database ${join(folder, 'none.db')}`]],
  );
});

test('a log of the version before is tied to its journals when it is opened', () => {
  const folder = dirname(desk.file);
  const file = join(folder, 'old.db');
  const keys = join(folder, 'old-keys');
  const fresh = openWriter(file, 'boot', keys);
  const steps = launched('a');
  fresh.run(steps.map(([name, args], id) => ({ id, name, args })));
  fresh.close();
  makeOld(file);
  rmSync(keys, { recursive: true });
  for (let turn = 0; turn < 2; turn += 1) {
    const writer = openWriter(file, 'boot', keys);
    const append: AuditEntry = record('later');
    writer.run([{ id: 1, name: 'audit.append', args: { entries: [append] } }]);
    writer.close();
  }
  const options = { database: file, keysFolder: keys, anchor: join(folder, 'none') };
  const report = verify(options);
  assert.deepEqual([report.verdict, report.problems], ['unknown', []]);
  assert.equal(report.records, 5);
  tamper(file, 'DROP TRIGGER events_no_update; UPDATE events SET at = 9');
  assert.deepEqual(first(verify(options)), ['tampered', 'journal_mismatch', 3]);
});

/** Rewrites a log as version 1 had it: no key, no ties, no seals; with one journal event. */
function makeOld(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`DROP TRIGGER audit_no_update; DELETE FROM meta WHERE key = 'audit_key';
    INSERT INTO events VALUES ('a', 1, 1, 3, '{"type":"run.started"}'); UPDATE instances SET last_seq = 1`);
  const log = String(database.prepare("SELECT value FROM meta WHERE key = 'audit_log'").get()?.['value']);
  const put = database.prepare('UPDATE audit SET body = ?, hash = ?, seal = NULL WHERE seq = ?');
  let hash = genesisHash(log);
  for (const row of database.prepare('SELECT seq, body FROM audit ORDER BY seq').all()) {
    const {
      v: _v,
      binds: _binds,
      mono_us: _mono,
      severity: _severity,
      ...rest
    } = JSON.parse(String(row['body'])) as Record<string, unknown>;
    const body = JSON.stringify({ ...rest, v: 1 });
    hash = chainHash(hash, body);
    put.run(body, hash, Number(row['seq']));
  }
  database.exec(
    `CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END`,
  );
  database.close();
}
