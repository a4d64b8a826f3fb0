import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, outputsOf, processesOf, startRun } from '../setup/leftovers.ts';

describe('steps that ask a person', { timeout: 240_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'code_inline', command: '/bin/echo', args: ['built'] });
    bench.workflow('gate', {
      steps: [
        { id: 'build', type: 'skill', skill: 'say' },
        {
          id: 'ok',
          type: 'approval',
          message: 'Ship ${{ build.stdout }}?',
          inputs: { what: 'build.stdout' },
        },
        { id: 'ship', type: 'skill', skill: 'say' },
      ],
    });
  });
  after(() => bench.close());

  const pending = async (id: string): Promise<ApprovalDocument> => {
    const [only] = await eventually('an approval is asked for', async () => {
      const all = (await bench.json('approvals', id)) as ApprovalDocument[];
      return all.length > 0 && all;
    });
    return only ?? assert.fail();
  };
  const letGo = (id: string): Promise<true> =>
    eventually(
      'its process is gone',
      async () => (await bench.status(id)).pid === null && processesOf(id).length === 0,
    );

  test('the run waits without a process, says for what, and goes on when it is approved', async () => {
    const id = await startRun(bench, 'gate');
    const asked = await pending(id);
    await letGo(id);
    const { status, steps } = await bench.status(id);
    assert.equal(status, 'waiting');
    assert.deepEqual(
      steps.map((step) => [step.id, step.status, step.approvals]),
      [
        ['build', 'completed', []],
        ['ok', 'waiting', [1]],
      ],
    );
    assert.deepEqual(
      [asked.number, asked.kind, asked.step, asked.args, asked.by, asked.status],
      [1, 'approval', 'ok', { message: 'Ship built?', what: 'built' }, [], 'pending'],
    );
    const text = await bench.q('status', id);
    assert.match(text.stdout, /… ok +waiting .*waits for approval 1: q workflow approvals/);
    const { status: code, stdout } = await bench.q('approve', id, '--reason', 'looked at it');
    assert.deepEqual([code, stdout], [0, `${id} 1 approved: ok\n`]);
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed', run.reason ?? '');
    const { approved, by, reason } = outputsOf(run, 'ok');
    assert.deepEqual([approved, reason], [true, 'looked at it']);
    assert.match(JSON.stringify(by), /^"person /);
    assert.deepEqual([run.incarnations, run.steps.map((step) => step.attempts)], [2, [1, 1, 1]]);
  });

  test('a denial fails the step with who and why', async () => {
    const id = await startRun(bench, 'gate');
    await pending(id);
    await bench.q('deny', id, '1', '--reason', 'not on a Friday');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.error?.code, run.error?.step], ['failed', 'APPROVAL_DENIED', 'ok']);
    assert.match(run.error?.message ?? '', /person \S+ denied it: not on a Friday/);
    assert.ok(!run.steps.some(({ id: step }) => step === 'ship'));
  });

  test('nobody answers in time: it is denied', async () => {
    bench.workflow('brief', { steps: [{ id: 'ok', type: 'approval', message: 'Quick?', timeout: 1 }] });
    const id = await startRun(bench, 'brief');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.error?.code], ['failed', 'APPROVAL_DENIED']);
    assert.match(run.error?.message ?? '', /nobody approved it within 1 s/);
    const late = await bench.q('approve', id, '1', '--json');
    assert.match(late.stdout, /APPROVAL_CLOSED/);
    const [row] = (await bench.json('approvals', id, '--all')) as ApprovalDocument[];
    assert.equal(row?.status, 'expired');
  });

  test('it waits through the death of the supervisor, and a decision is taken by the next one', async () => {
    const id = await startRun(bench, 'gate');
    await pending(id);
    await letGo(id);
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    assert.equal((await pending(id)).status, 'pending');
    assert.equal((await bench.status(id)).status, 'waiting');
    assert.match((await bench.q('status')).stdout, new RegExp(`^${id} .* waiting .* approval 1$`, 'm'));
    await bench.q('approve', id);
    assert.equal((await endOf(bench, id)).status, 'completed');
  });

  test('one branch waits while another works, and its decision does not wait for that', async () => {
    bench.skill('nap', { type: 'code_inline', command: 'sleep', args: ['3'] });
    bench.workflow('branches', {
      steps: [
        {
          id: 'both',
          type: 'parallel',
          steps: [
            { id: 'slow', type: 'skill', skill: 'nap' },
            { id: 'ok', type: 'approval', message: 'Now?' },
          ],
        },
      ],
    });
    const id = await startRun(bench, 'branches');
    await pending(id);
    await bench.q('approve', id);
    const ok = await eventually('the step is approved', async () =>
      (await bench.status(id)).steps.find((step) => step.id === 'ok' && step.status === 'completed'),
    );
    const slow = (await bench.status(id)).steps.find((step) => step.id === 'slow');
    assert.equal(slow?.status, 'running');
    assert.equal(ok.attempts, 1);
    assert.deepEqual(
      [(await endOf(bench, id)).status, (await bench.status(id)).incarnations],
      ['completed', 1],
    );
  });

  test('a branch that another one beats is asked for no more', async () => {
    bench.workflow('race', {
      steps: [
        {
          id: 'either',
          type: 'parallel',
          wait_for: 'any',
          steps: [
            { id: 'quick', type: 'skill', skill: 'nap' },
            { id: 'ok', type: 'approval', message: 'Or now?' },
          ],
        },
        { id: 'gate', type: 'approval', message: 'Go on?' },
      ],
    });
    const id = await startRun(bench, 'race');
    assert.equal((await pending(id)).step, 'either/ok');
    const left = await eventually('the next step asks', async () => {
      const all = (await bench.json('approvals', id)) as ApprovalDocument[];
      return all.some(({ step }) => step === 'gate') && all;
    });
    assert.deepEqual(
      left.map(({ number, step }) => [number, step]),
      [[2, 'gate']],
    );
    const late = await bench.q('approve', id, '1');
    assert.match(late.stderr, /APPROVAL|withdrawn/);
    assert.notEqual(late.status, 0);
    const log = (await bench.json('audit', 'list', '--instance', id, '--type', 'approval.withdrawn')) as {
      records: unknown[];
    };
    assert.equal(log.records.length, 1);
    await letGo(id);
    await bench.q('supervisor', 'stop');
    assert.equal(((await bench.json('approvals', id)) as unknown[]).length, 1);
    assert.equal((await bench.q('approve', id)).status, 0);
    assert.equal((await endOf(bench, id)).status, 'completed');
  });

  test('a step that undoes another asks as well, and the rollback waits for the answer', async () => {
    bench.skill('bad', { type: 'code_inline', command: 'false' });
    bench.workflow('undone', {
      steps: [
        { id: 'a', type: 'skill', skill: 'say', undo: { id: 'sure', type: 'approval', message: 'Undo?' } },
        { id: 'b', type: 'skill', skill: 'bad' },
      ],
      error_handling: { default: { strategy: 'rollback' }, rollback: { enabled: true } },
    });
    const id = await startRun(bench, 'undone', '--approvals', 'wait');
    const asked = await pending(id);
    assert.deepEqual([asked.step, asked.kind, asked.args], ['a!undo', 'approval', { message: 'Undo?' }]);
    await bench.q('deny', id, '--reason', 'keep it');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'rollback_failed', run.reason ?? '');
    const undo = run.steps.find(({ path }) => path === 'a!undo');
    assert.deepEqual([undo?.status, undo?.error?.code], ['failed', 'APPROVAL_DENIED']);
  });

  test('two that wait have to be told apart, and each is decided by itself', async () => {
    bench.workflow('two', {
      steps: [
        {
          id: 'both',
          type: 'parallel',
          steps: [
            { id: 'one', type: 'approval', message: 'One?' },
            { id: 'two', type: 'approval', message: 'Two?' },
          ],
        },
      ],
    });
    const id = await startRun(bench, 'two');
    await eventually(
      'both wait',
      async () => ((await bench.json('approvals', id)) as unknown[]).length === 2,
    );
    const which = await bench.q('approve', id);
    assert.equal(which.status, 2);
    assert.match(which.stderr, /2 calls of the run \w+ wait for a decision: 1, 2 \[APPROVAL_AMBIGUOUS\]/);
    assert.match((await bench.q('approve', id, '9')).stderr, /has no approval "9" \[APPROVAL_NOT_FOUND\]/);
    await bench.q('approve', id, '2');
    await eventually('the second is done', async () =>
      (await bench.status(id)).steps.some((step) => step.id === 'two' && step.status === 'completed'),
    );
    assert.match(
      (await bench.q('deny', id, '2')).stderr,
      /approval 2 of \w+ is approved by person .* already/,
    );
    await bench.q('approve', id, '1');
    assert.equal((await endOf(bench, id)).status, 'completed');
  });

  test('only those who are named may decide', async () => {
    bench.workflow('named', {
      steps: [{ id: 'ok', type: 'approval', message: 'Sure?', by: ['release-manager'] }],
    });
    const id = await startRun(bench, 'named');
    await pending(id);
    const refused = await bench.q('approve', id);
    assert.equal(refused.status, 6);
    assert.match(refused.stderr, /is for release-manager, not for \S+ \[APPROVAL_NOT_YOURS\]/);
    const { status } = await bench.qWith({ USER: 'release-manager' }, 'approve', id);
    assert.equal(status, 0);
    assert.equal((await endOf(bench, id)).status, 'completed');
  });

  test('the end of a run withdraws what waits; a run that is opened again asks anew', async () => {
    const id = await startRun(bench, 'gate');
    await pending(id);
    await letGo(id);
    await bench.q('stop', id);
    assert.equal((await endOf(bench, id)).status, 'stopped');
    const [row] = (await bench.json('approvals', id, '--all')) as ApprovalDocument[];
    assert.equal(row?.status, 'withdrawn');
    assert.deepEqual(await bench.json('approvals', id), []);
    const resumed = bench.start(['resume', id]);
    assert.equal((await pending(id)).number, 2);
    await bench.q('deny', id);
    await new Promise((resolve) => resumed.once('close', resolve));
    // Denied once, approved the next time: each resume asks again.
    const again = bench.start(['resume', id]);
    assert.equal((await pending(id)).number, 3);
    await bench.q('approve', id);
    await new Promise((resolve) => again.once('close', resolve));
    assert.equal((await bench.status(id)).status, 'completed');
  });

  test('a run in the foreground without a terminal says what it waits for, and goes on', async () => {
    const child = bench.start(['run', 'gate']);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += String(chunk);
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await eventually('the run says so', () => /Ship built\?[\s\S]*q workflow approve (\w+) 1/.test(said));
    const [, id = ''] = /q workflow approve (\w+) 1/.exec(said) ?? [];
    await bench.q('approve', id);
    assert.equal(await closed, 0, said);
  });

  test('with --approvals deny nothing waits', async () => {
    const { status, stdout } = await bench.q('run', 'gate', '--approvals', 'deny', '--json');
    const run = JSON.parse(stdout) as StatusDocument;
    assert.deepEqual([status, run.error?.code], [6, 'APPROVAL_DENIED']);
    assert.match(run.error?.message ?? '', /it needs a person's approval, and nobody can be asked/);
  });

  test('the audit log has who asked, who decided, and stays intact', async () => {
    const { stdout } = await bench.q('audit', 'list', '--type', 'approval.*', '--limit', '500', '--json');
    const { records } = JSON.parse(stdout) as { records: { type: string }[] };
    const types = new Set(records.map(({ type }) => type));
    assert.deepEqual(
      [...types].sort(),
      ['denied', 'expired', 'granted', 'requested', 'withdrawn'].map((word) => `approval.${word}`),
    );
    assert.equal((await bench.q('audit', 'verify')).status, 0);
  });
});
