import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type AuditEntry, SUPERVISOR } from '../../src/audit/record.ts';
import type { Failpoint } from '../../src/protocol/failpoint.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { brokenAt } from '../store/support.ts';

describe('records that waited for the database', { timeout: 120_000 }, () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = openBench();
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
  });
  afterEach(() => bench.close());

  const entry = (type: string): AuditEntry => ({
    type,
    at: 1,
    actor: SUPERVISOR,
    instance: null,
    data: { n: 1 },
  });
  const line = (type: string): string => `${JSON.stringify(entry(type))}\n`;
  const spool = (text: string | Buffer): void => writeFileSync(join(bench.home, 'spool.jsonl'), text);
  const database = (): string => join(bench.home, 'q-workflow.db');
  /** The bodies of records, oldest first, of which the type begins so. */
  const records = (prefix: string): { type: string; data: Record<string, unknown> }[] => {
    const opened = new DatabaseSync(database(), { readOnly: true });
    try {
      return opened
        .prepare('SELECT body FROM audit WHERE substr(type, 1, ?) = ? ORDER BY seq')
        .all(prefix.length, prefix)
        .map((row) => JSON.parse(String(row['body'])) as { type: string; data: Record<string, unknown> });
    } finally {
      opened.close();
    }
  };
  const left = (): string[] =>
    readdirSync(bench.home).filter((name) => name.startsWith('spool') && !name.includes('rejected'));

  test('lines that are no records are kept aside and counted, the others are chained', async () => {
    const deep = `{"type":"test.deep","at":1,"actor":${JSON.stringify(SUPERVISOR)},"instance":null,"data":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
    const bad = [
      '{"type":"test.a","at":1}}',
      'no json',
      '[]',
      'null',
      '{"type":"test.a"}',
      JSON.stringify({ ...entry('test.a'), at: 1.5 }),
      JSON.stringify({ ...entry('test.a'), at: 'now' }),
      JSON.stringify({ ...entry('test.a'), actor: { kind: 'nobody', id: 'x', uid: null } }),
      JSON.stringify({ ...entry('test.a'), actor: null }),
      JSON.stringify({ ...entry('test.a'), instance: 5 }),
      JSON.stringify({ ...entry('test.a'), data: [] }),
      JSON.stringify({ ...entry('test.a'), seq: 1 }),
      JSON.stringify(entry('test.a')).replace('"n":1', '"n":1e999'),
      deep,
    ];
    const invalid = Buffer.concat([Buffer.from('{"type":"test.\xff', 'latin1'), Buffer.from('"}\n')]);
    spool(
      Buffer.concat([
        Buffer.from(line('test.one') + bad.map((text) => `${text}\n`).join('')),
        invalid,
        Buffer.from(line('test.two')),
      ]),
    );
    const started = await bench.q('supervisor', 'start');
    assert.deepEqual([started.status, started.stderr], [0, '']);
    assert.deepEqual(
      records('test.').map(({ type, data }) => [type, data]),
      [
        ['test.one', { n: 1, spooled: true }],
        ['test.two', { n: 1, spooled: true }],
      ],
    );
    const [rejected, ...more] = records('spool.rejected');
    assert.deepEqual(more, []);
    const file = String(rejected?.data['file']);
    const kept = readFileSync(join(bench.home, file));
    assert.deepEqual(kept, Buffer.concat([Buffer.from(bad.map((text) => `${text}\n`).join('')), invalid]));
    assert.deepEqual(rejected?.data, {
      count: bad.length + 1,
      bytes: kept.length,
      sha256: createHash('sha256').update(kept).digest('hex'),
      file,
    });
    assert.deepEqual(left(), []);
    const log = readFileSync(join(bench.home, 'log', 'supervisor.log'), 'utf8');
    assert.match(log, /"level":"error","message":"lines of the spool are no records: they are kept aside"/);
    assert.equal(brokenAt(database()), null);
  });

  test('a last line that a crash cut is kept aside too, and one that only lacks its end is chained', async () => {
    spool(`${line('test.one')}{"type":"test.two","at":1,"actor":{"kind":"supervisor"}`);
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    assert.deepEqual(
      records('test.').map(({ type }) => type),
      ['test.one'],
    );
    assert.equal(records('spool.rejected')[0]?.data['count'], 1);
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    spool(line('test.three').trimEnd());
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    assert.deepEqual(
      records('test.').map(({ type }) => type),
      ['test.one', 'test.three'],
    );
  });

  for (const point of [
    'supervisor.spool_taken',
    'supervisor.spool_rejected',
    'supervisor.spool_chained',
  ] satisfies Failpoint[])
    test(`each record is chained once when the supervisor is killed at ${point}`, async () => {
      spool(`${line('test.one')}bad\n${line('test.two')}`);
      const killed = await bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:1` }, 'supervisor', 'start');
      assert.equal(killed.status, 5, `${point} was not reached`);
      assert.equal(existsSync(join(bench.home, 'spool.jsonl')), false);
      // What comes while the first batch is still there is a batch of its own.
      spool(line('test.three'));
      assert.equal((await bench.q('supervisor', 'start')).status, 0);
      assert.deepEqual(
        records('test.')
          .map(({ type }) => type)
          .sort(),
        ['test.one', 'test.three', 'test.two'],
      );
      assert.equal(records('spool.rejected').length, 1);
      assert.equal(readdirSync(bench.home).filter((name) => name.includes('rejected')).length, 1);
      assert.deepEqual(left(), []);
      assert.equal(brokenAt(database()), null);
    });
});
