import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { AuditRecord } from '../../src/cli/audit/audit-record.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

describe('the audit commands', { timeout: 180_000 }, () => {
  let bench: Bench;
  before(async () => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    const say = { id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } };
    bench.workflow('tiny', { steps: [say] });
    bench.workflow('long', { steps: Array.from({ length: 200 }, (_, n) => ({ ...say, id: `s${n}` })) });
    assert.equal((await bench.q('run', 'tiny')).status, 0);
    assert.equal((await bench.q('run', 'long')).status, 0);
  });
  after(() => bench.close());

  const list = async (...flags: string[]): Promise<AuditRecord[]> =>
    ((await bench.json('audit', 'list', ...flags)) as { records: AuditRecord[] }).records;
  const lines = async (...words: string[]): Promise<AuditRecord[]> => {
    const { stdout, status } = await bench.q(...words);
    assert.equal(status, 0);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditRecord);
  };

  test('list prints the newest records, newest last, no more than the limit', async () => {
    const all = await list('--limit', '100000');
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, index) => index + 1),
    );
    const few = await list('--limit', '3');
    assert.deepEqual(few, all.slice(-3));
    assert.equal((await list()).length, 50);
    const text = await bench.q('audit', 'list', '--limit', '2');
    // The head and two records.
    assert.equal(text.stdout.trimEnd().split('\n').length, 3);
    assert.match(text.stdout, /instance\.exited +exit=\{"code":0,"signal":null\} incarnation=1/);
  });

  test('list chooses by type, instance and time', async () => {
    const all = await list('--limit', '100000');
    const ended = await list('--type', 'run.*', '--limit', '100000');
    assert.deepEqual(
      ended,
      all.filter(({ type }) => type.startsWith('run.')),
    );
    assert.equal(ended.length, 4);
    const first = all.find(({ instance }) => instance !== null)?.instance ?? '';
    assert.deepEqual(
      await list('--instance', first.slice(0, 6), '--limit', '100000'),
      all.filter(({ instance }) => instance === first),
    );
    assert.ok((await list('--instance', 'latest', '--limit', '500')).length > 200);
    const [from, to] = [all[3]?.at ?? 0, all[6]?.at ?? 0].map((time) => new Date(time).toISOString());
    assert.deepEqual(
      await list('--since', from ?? '', '--until', to ?? '', '--limit', '100000'),
      all.filter(({ at }) => at >= (all[3]?.at ?? 0) && at < (all[6]?.at ?? 0)),
    );
    const wrong = await bench.q('audit', 'list', '--since', 'soon');
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /--since takes 90s, 10m, 2h, 1d or a time, and "soon" is none of these/);
    assert.equal((await bench.q('audit', 'list', '--instance', 'zzz')).status, 4);
  });

  test('show prints one record, and says which number there is none of', async () => {
    const record = (await bench.json('audit', 'show', '1')) as AuditRecord & { payload_state: string };
    assert.deepEqual([record.seq, record.type, record.payload_state], [1, 'supervisor.started', 'none']);
    const none = await bench.q('audit', 'show', '99999');
    assert.equal(none.status, 4);
    assert.match(none.stderr, /error the audit log has no record 99999 \[RECORD_NOT_FOUND\]/);
    assert.equal((await bench.q('audit', 'erase', '1')).status, 4);
  });

  test('tail -f goes on with each record once, in order, from what it began with', async () => {
    const child = bench.start(['audit', 'tail', '-f', '-n', '5', '--json']);
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += String(chunk);
    });
    const seen = (): AuditRecord[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as AuditRecord);
    await eventually('the first lines', () => seen().length === 5);
    const before = seen().at(-1)?.seq ?? 0;
    assert.equal((await bench.q('run', 'long')).status, 0);
    await eventually('the end of the run', () =>
      seen().some(({ seq, type }) => seq > before && type === 'instance.exited'),
    );
    // The next supervisor's records follow, without a gap or a repetition.
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    const killed = seen().at(-1)?.seq ?? 0;
    await bench.q('supervisor', 'start');
    await eventually('the records of the next supervisor', () =>
      seen().some(({ seq, type }) => seq > killed && type === 'supervisor.started'),
    );
    child.kill('SIGTERM');
    assert.deepEqual(
      seen().map(({ seq }) => seq),
      seen().map((_, index) => before - 4 + index),
    );
  });

  test('export writes every record, also those of many pages, and each format has a line a record', async () => {
    const { seq } = (await bench.json('audit', 'key')) as { seq: number };
    assert.ok(seq > 400);
    const records = await lines('audit', 'export');
    assert.deepEqual(
      records.map((record) => record.seq),
      Array.from({ length: seq }, (_, index) => index + 1),
    );
    for (const format of ['cloudevents', 'ocsf', 'otel'])
      assert.equal((await lines('audit', 'export', '--format', format)).length, seq, format);
    const csv = await bench.q('audit', 'export', '--format', 'csv', '--type', 'run.ended');
    assert.match(csv.stdout, /^seq,time,severity,type,instance,actor_kind,actor_id,actor_uid,data,hash\r\n/);
    assert.equal(csv.stdout.trimEnd().split('\r\n').length, 4);
  });

  test('prune removes nothing of the day, and says so', async () => {
    const { status, stdout } = await bench.q('audit', 'prune', '--before', '2099-01-01');
    assert.deepEqual(
      [status, stdout],
      [0, 'Nothing was removed: no sealed segment ends before 2099-01-01T00:00:00.000Z.\n'],
    );
  });

  test('verify starts no supervisor, works beside none, and exits 2 with the first bad record', async () => {
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    const fine = await bench.q('audit', 'verify');
    assert.equal(fine.status, 0, fine.stdout);
    assert.match(fine.stdout, /^intact: \d+ records \(1 to \d+\), signed up to \d+, anchored up to \d+\n/);
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'));
    database.exec(
      "DROP TRIGGER audit_no_update; UPDATE audit SET body = replace(body, 'tiny', 'tidy') WHERE seq = 2",
    );
    database.close();
    const bad = await bench.q('audit', 'verify', '--json');
    assert.equal(bad.status, 2);
    const { verdict, first_bad } = JSON.parse(bad.stdout) as { verdict: string; first_bad: object };
    assert.deepEqual(
      [verdict, first_bad],
      ['tampered', { kind: 'edited', seq: 2, message: 'record 2 is not the text that was hashed' }],
    );
    assert.equal((await bench.q('supervisor', 'status')).status, 5);
  });
});
