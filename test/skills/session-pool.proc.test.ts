import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { runSkill } from '../../src/skills/run-skill.ts';
import { SessionPool, type SessionRequest } from '../../src/skills/session-pool.ts';
import type { Skill } from '../../src/skills/skill.ts';
import { FakeScope } from './fake-scope.ts';
import { BARE_SANDBOX, codeRequest, ListSink, skillOf } from './make.ts';

/** Answers by what it is asked; counts its calls, so that a fresh process shows. */
const ECHO = `let n = 0; console.error('up ' + process.env.Q_WORKFLOW_INSTANCE);
  require('readline').createInterface({input: process.stdin}).on('line', (line) => {
    const p = JSON.parse(line); n++;
    if (p.do === 'die') { console.error('ouch'); process.exit(4); }
    if (p.do === 'hang') return;
    if (p.do === 'text') return console.log('plain ' + n);
    if (p.do === 'long') return process.stdout.write('x'.repeat(2000000));
    if (p.do === 'noise') return process.stdout.write(JSON.stringify({n}) + '\\nnoise\\n');
    if (p.do === 'slow') return setTimeout(() => console.log(JSON.stringify({n, pid: process.pid})), 50);
    console.log(JSON.stringify({n, pid: process.pid, p}));
  });`;

function echoSkill(config: JsonObject = {}): Skill {
  return skillOf({
    type: 'code_session',
    command: process.execPath,
    args: ['-e', ECHO],
    session_config: config,
  });
}

function setUp(removal: Error | null = null) {
  const scopes: FakeScope[] = [];
  const leftovers: string[] = [];
  const pool = new SessionPool({
    openScope: () => {
      const scope = new FakeScope();
      scope.removal = removal;
      scopes.push(scope);
      return scope;
    },
    workspace: '/tmp',
    env: { PATH: process.env.PATH ?? '' },
    instance: 'instance-1',
    graceMs: 500,
    onLeftover: (error) => leftovers.push(String(error)),
  });
  const sink = new ListSink();
  const call = async (
    skill: Skill,
    values: JsonObject,
    more: Partial<SessionRequest> = {},
  ): Promise<JsonObject> => {
    const done = await pool.call({
      skill,
      sandbox: BARE_SANDBOX,
      values,
      secrets: {},
      outputs: [],
      timeoutMs: 10_000,
      output: sink,
      signal: new AbortController().signal,
      ...more,
    });
    assert.equal(done.kind, 'completed');
    return done.kind === 'completed' ? done.result : {};
  };
  const assertNothingLeft = async (): Promise<void> => {
    await pool.close();
    assert.equal(pool.openCount, 0);
    for (const scope of scopes) {
      assert.deepEqual(scope.pids(), []);
      assert.equal(scope.isRemoved, true);
    }
  };
  return { pool, scopes, sink, leftovers, call, assertNothingLeft };
}

test('one process answers all calls of a skill, in objects or in text', async () => {
  const { call, scopes, sink, assertNothingLeft } = setUp();
  const skill = echoSkill();
  const first = await call(skill, { a: 'two\nlines' });
  assert.deepEqual([first.n, first.p], [1, { a: 'two\nlines' }]);
  const second = await call(skill, { do: 'text' }, { outputs: ['said'] });
  assert.deepEqual([second.stdout, second.said], ['plain 2', 'plain 2']);
  const third = await call(skill, {});
  assert.equal(third.pid, first.pid);
  assert.equal(scopes.length, 1);
  assert.equal(scopes[0]?.pids().length, 1);
  assert.match(sink.text('stderr'), /up instance-1/);
  await assertNothingLeft();
});

test('steps with different tiers or networks never share a process', async () => {
  const { call, assertNothingLeft } = setUp();
  const skill = echoSkill();
  const agent: StepSandbox = {
    ...BARE_SANDBOX,
    view: { ...BARE_SANDBOX.view, tier: 'agent', network: 'proxy' },
  };
  const access = { rules: [{ host: 'a.example', ports: [443] }], onEvent: () => undefined };
  const other = { ...access, rules: [{ host: 'b.example', ports: [443] }] };
  const pids = new Set<unknown>();
  for (const sandbox of [BARE_SANDBOX, agent, { ...agent, access }, { ...agent, access: other }]) {
    const first = await call(skill, {}, { sandbox });
    assert.equal((await call(skill, {}, { sandbox })).pid, first.pid);
    pids.add(first.pid);
  }
  assert.equal(pids.size, 4);
  await assertNothingLeft();
});

test('lines printed after a reply are put aside', async () => {
  const { call, assertNothingLeft } = setUp();
  const skill = echoSkill();
  assert.equal((await call(skill, { do: 'noise' })).n, 1);
  assert.equal((await call(skill, {})).n, 2);
  await assertNothingLeft();
});

test('a call that is not answered in time kills the session, and the next starts a fresh one', async () => {
  const { call, scopes, assertNothingLeft } = setUp();
  const skill = echoSkill();
  await call(skill, {});
  await assert.rejects(call(skill, { do: 'hang' }, { timeoutMs: 200 }), {
    code: 'STEP_TIMEOUT',
    message: 'skill "probe": the session did not answer in 0.2 s and was killed',
  });
  assert.deepEqual(scopes[0]?.pids(), []);
  assert.equal((await call(skill, {})).n, 1);
  await assertNothingLeft();
});

test('a cancelled call kills the session', async () => {
  const { pool, call, scopes, assertNothingLeft } = setUp();
  const skill = echoSkill();
  await call(skill, {});
  const abort = new AbortController();
  const pending = pool.call({
    skill,
    sandbox: BARE_SANDBOX,
    values: { do: 'hang' },
    secrets: {},
    outputs: [],
    timeoutMs: null,
    output: new ListSink(),
    signal: abort.signal,
  });
  setImmediate(() => abort.abort());
  assert.deepEqual(await pending, { kind: 'cancelled', survivors: [] });
  assert.deepEqual(scopes[0]?.pids(), []);
  await assertNothingLeft();
});

test('a session that ends in the middle of a call is SESSION_CLOSED with its last words', async () => {
  const { call, assertNothingLeft } = setUp();
  const skill = echoSkill();
  await assert.rejects(
    call(skill, { do: 'die' }),
    (error: { code: string; message: string; details: JsonObject }) => {
      assert.equal(error.code, 'SESSION_CLOSED');
      assert.equal(error.message, 'skill "probe": the session ended with exit code 4 before it answered');
      assert.match(JSON.stringify(error.details), /ouch/);
      return true;
    },
  );
  assert.equal((await call(skill, {})).n, 1);
  await assertNothingLeft();
});

test('a reply over 1 MiB is OUTPUT_INVALID', async () => {
  const { call, assertNothingLeft } = setUp();
  await assert.rejects(call(echoSkill(), { do: 'long' }), { code: 'OUTPUT_INVALID' });
  await assertNothingLeft();
});

test('calls wait for a free session, and max_sessions run side by side', async () => {
  const { call, scopes, assertNothingLeft } = setUp();
  const skill = echoSkill({ max_sessions: 2 });
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => call(skill, { do: 'slow' })));
  assert.equal(new Set(all.map((result) => result.pid)).size, 2);
  assert.equal(scopes.length, 2);
  await assert.rejects(
    Promise.all([
      call(skill, { do: 'hang' }, { timeoutMs: 900 }),
      call(skill, { do: 'hang' }, { timeoutMs: 900 }),
      call(skill, {}, { timeoutMs: 100 }),
    ]),
    { code: 'SESSION_LIMIT', message: 'skill "probe": no session became free in 0.1 s; it allows 2' },
  );
  await assertNothingLeft();
});

test('a session that is idle for its time is closed', async () => {
  const { pool, call, scopes, assertNothingLeft } = setUp();
  await call(echoSkill({ session_timeout: 0.05 }), {});
  assert.equal(pool.openCount, 1);
  const scope = scopes[0] ?? assert.fail();
  const removed = new PassThrough();
  const remove = scope.remove.bind(scope);
  scope.remove = async () => {
    await remove();
    removed.emit('removed');
  };
  await once(removed, 'removed', { signal: AbortSignal.timeout(5000) });
  assert.deepEqual(scope.pids(), []);
  await assertNothingLeft();
});

test('a command that is missing fails the call and leaves no scope', async () => {
  const { pool, call, scopes, assertNothingLeft } = setUp();
  const skill = skillOf({ type: 'code_session', command: '/no/such/command' });
  await assert.rejects(call(skill, {}), { code: 'SPAWN_FAILED' });
  assert.equal(pool.openCount, 0);
  assert.equal(scopes[0]?.isRemoved, true);
  await assertNothingLeft();
});

test('runSkill picks by type', async () => {
  const { pool, assertNothingLeft } = setUp();
  const scope = new FakeScope();
  const run = (skill: Skill, inputs: JsonObject) =>
    runSkill(skill, { ...codeRequest(skill), inputs, sessions: pool, openScope: () => scope });
  const prompt = await run(skillOf({ type: 'prompt_inline', prompt: 'Hi {a}' }), { a: '{b}' });
  assert.deepEqual(prompt, {
    kind: 'completed',
    result: { text: 'Hi {b}', stdout: 'Hi {b}' },
    warnings: [],
    usage: null,
  });
  assert.equal((await run(echoSkill(), {})).kind, 'completed');
  const code = await run(skillOf({ command: 'echo', args: ['{a}'] }), { a: 1 });
  assert.equal(code.kind === 'completed' ? code.result.stdout : null, '1');
  await assert.rejects(run(skillOf({ type: 'conversation', prompt: 'x' }), {}), {
    code: 'MODEL_NOT_CONFIGURED',
    message: /is run by the agent driver, not as a command/,
  });
  await assert.rejects(run(skillOf({ type: 'nonsense' }), {}), {
    code: 'SKILL_INVALID',
    message: /"nonsense" is no skill type/,
  });
  const matched = skillOf({
    type: 'prompt_inline',
    prompt: '{a}',
    parameters: [{ name: 'a', type: 'string', pattern: '^(x+)+$' }],
  });
  assert.equal((await run(matched, { a: 'xxx' })).kind, 'completed');
  await assert.rejects(run(matched, { a: `${'x'.repeat(5000)}!` }), { code: 'PARAMETER_INVALID' });
  await assertNothingLeft();
});

test('a scope that cannot be removed fails neither a call nor the end, whenever its session ends', async () => {
  const { pool, scopes, leftovers, call } = setUp(new Error('EBUSY'));
  // An unhandled rejection would end the instance, and fail this test.
  const idle = echoSkill({ session_timeout: 0.05 });
  await call(idle, { do: 'noise' });
  const expired = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (pool.openCount > 0) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await expired;
  assert.deepEqual(leftovers, ['Error: EBUSY']);
  const result = await call(echoSkill(), { do: 'text' });
  assert.equal(result['stdout'], 'plain 1');
  await pool.close();
  assert.equal(pool.openCount, 0);
  assert.deepEqual(leftovers, ['Error: EBUSY', 'Error: EBUSY']);
  for (const scope of scopes) assert.deepEqual(scope.pids(), []);
});
