import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { SUPERVISOR } from '../../src/audit/record.ts';
import type { VerifyReport } from '../../src/audit/verify/verify.ts';
import type { AuditAboutDocument } from '../../src/protocol/audit-control.ts';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import type { Failpoint } from '../../src/protocol/failpoint.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

describe('the audit log of a supervisor', { timeout: 180_000 }, () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
  });
  afterEach(() => bench.close());

  const run = async (): Promise<void> => {
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  };
  const stop = async (): Promise<void> => {
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
  };
  const about = async (): Promise<AuditAboutDocument> =>
    (await bench.json('audit', 'key')) as AuditAboutDocument;
  const verify = async (...flags: string[]): Promise<VerifyReport & { status: number | null }> => {
    const { status, stdout, stderr } = await bench.q('audit', 'verify', '--json', ...flags);
    assert.equal(stderr, '');
    return { status, ...(JSON.parse(stdout) as VerifyReport) };
  };
  const allSigned = (): Promise<VerifyReport> =>
    eventually('the end to be signed', async () => {
      const report = await verify();
      return report.signed_through === report.last_seq && report.anchor.through === report.last_seq && report;
    });
  const records = (type: string): Record<string, unknown>[] => {
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
    const rows = database.prepare('SELECT body FROM audit WHERE type = ? ORDER BY seq').all(type);
    database.close();
    return rows.map(({ body }) => (JSON.parse(String(body)) as { data: Record<string, unknown> }).data);
  };

  test('is signed and anchored soon after a run, and at the latest when the supervisor leaves', async () => {
    await run();
    const report = await allSigned();
    assert.deepEqual([report.verdict, report.problems, report.doubts], ['intact', [], []]);
    await stop();
    const after = await verify();
    assert.deepEqual([after.status, after.signed_through], [0, after.last_seq]);
    assert.equal(after.last_seq, report.last_seq + 1);
  });

  for (const point of ['supervisor.checkpoint_committed', 'supervisor.anchored'] satisfies Failpoint[])
    test(`is whole when the supervisor is killed at ${point}, and the next one brings the anchor up`, async () => {
      await bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:1` }, 'supervisor', 'start');
      const before = await eventually('the crash', async () => {
        const { status } = await bench.q('supervisor', 'status');
        return status === 5 && verify();
      });
      assert.deepEqual([before.status, before.verdict], [0, 'intact']);
      assert.deepEqual(
        before.notes,
        point === 'supervisor.anchored' ? [] : ['the anchor lacks the last checkpoint, as after a crash'],
      );
      await run();
      const after = await allSigned();
      assert.deepEqual([after.verdict, after.notes], ['intact', []]);
      assert.deepEqual(records('audit.anchor_fault'), []);
      assert.equal(records('supervisor.recovered').length, 1);
    });

  test('says that a supervisor died, and nothing where one left in good order', async () => {
    await run();
    const pid = await bench.supervisorPid();
    await stop();
    await run();
    assert.deepEqual(records('supervisor.recovered'), []);
    const second = await bench.supervisorPid();
    assert.notEqual(second, pid);
    process.kill(second, 'SIGKILL');
    await run();
    const [recovered, ...more] = records('supervisor.recovered');
    assert.deepEqual(more, []);
    assert.deepEqual((recovered?.['previous'] as { pid: number } | undefined)?.pid, second);
  });

  test('is doubted for good once its anchor was lost, from there on it is not', async () => {
    await run();
    const { anchor } = await about();
    await stop();
    rmSync(anchor);
    const lost = await verify();
    assert.deepEqual([lost.status, lost.verdict], [3, 'unknown']);
    assert.deepEqual(lost.doubts, [`there is no anchor ${anchor}`]);
    await run();
    await allSigned();
    const later = await verify();
    const at = later.last_seq - later.records + 1;
    assert.equal(at, 1);
    assert.equal(later.status, 3);
    assert.equal(records('audit.anchor_fault')[0]?.['fault'], 'missing');
    const from = Number(/record (\d+)/.exec(later.doubts[0] ?? '')?.[1]) + 1;
    assert.equal((await verify('--from', String(from))).status, 0);
  });

  test('that was put back to an older copy and went on tells two histories', async () => {
    await run();
    await stop();
    const copy = `${bench.home}-copy`;
    spawnSync('cp', ['-a', bench.home, copy]);
    await run();
    await stop();
    const { anchor } = await verify();
    rmSync(bench.home, { recursive: true });
    spawnSync('cp', ['-a', copy, bench.home]);
    const back = await verify();
    assert.deepEqual([back.status, back.first_bad?.kind], [2, 'truncated']);
    assert.equal(back.first_bad?.seq, back.last_seq + 1);
    await run();
    await eventually('both histories', async () => (await verify()).first_bad?.kind === 'forked');
    assert.equal(records('audit.anchor_fault')[0]?.['fault'], 'ahead');
    const { problems } = (await bench.json('supervisor', 'status')) as SupervisorStatus;
    assert.match(problems.join('\n'), /anchor of the audit log knows of records that the database lacks/);
    assert.match((await bench.q('supervisor', 'start')).stderr, /knows of records.*q workflow audit verify/s);
    assert.ok(anchor.file !== null);
    assert.equal((await verify()).status, 2);
  });

  test('goes on where the anchor cannot be written, says so, and catches up', async () => {
    const anchor = join(bench.workspace, 'place', 'anchor.jsonl');
    writeFileSync(join(bench.workspace, 'place'), 'in the way');
    const env = { Q_WORKFLOW_ANCHOR: anchor };
    assert.equal((await bench.qWith(env, 'run', 'tiny')).status, 0);
    await eventually('its record', () => records('audit.anchor_unwritable').length > 0);
    assert.equal((await verify()).status, 3);
    rmSync(join(bench.workspace, 'place'));
    await run();
    const report = await allSigned();
    assert.deepEqual([report.verdict, report.problems, report.doubts], ['intact', [], []]);
    assert.equal(report.anchor.file, anchor);
    assert.equal(records('audit.anchor_unwritable').length, 1);
    // Where it went is remembered: the next start needs no variable, and a new place takes the old lines along.
    await stop();
    const moved = join(bench.workspace, 'moved.jsonl');
    assert.equal((await bench.qWith({ Q_WORKFLOW_ANCHOR: moved }, 'run', 'tiny')).status, 0);
    await allSigned();
    assert.ok(readFileSync(moved, 'utf8').startsWith(readFileSync(anchor, 'utf8').trim()));
    assert.equal((await verify('--anchor', moved)).status, 0);
    assert.deepEqual(records('audit.anchor_fault'), []);
  });

  test('verifies beside a supervisor that is writing', async () => {
    await run();
    let isRunning = true;
    const runs = Promise.all(
      [1, 2].map(async () => {
        for (let turn = 0; turn < 6; turn += 1) await run();
      }),
    ).finally(() => {
      isRunning = false;
    });
    let looks = 0;
    while (isRunning) {
      const report = await verify();
      assert.deepEqual([report.status, report.problems, report.doubts], [0, [], []]);
      looks += 1;
    }
    await runs;
    assert.ok(looks > 3, `${looks} looks`);
  });

  test('takes in what was spooled as soon as the database takes records', async () => {
    await run();
    await allSigned();
    const entry = { type: 'test.spooled', at: 1, actor: SUPERVISOR, instance: null, data: {} };
    appendFileSync(join(bench.home, 'spool.jsonl'), `${JSON.stringify(entry)}\n`);
    await run();
    await eventually('the record', () => records('test.spooled').length === 1);
    assert.equal((await allSigned()).verdict, 'intact');
  });
});
