import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { checkPairs, lines } from '../agents/fake-world.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, hostOf, outputsOf } from '../setup/leftovers.ts';
import { GEMINI_KEY, openOtherBench } from '../setup/other-agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const COMMAND = { toolCallId: 't1', kind: 'execute', title: 'sleep', rawInput: { command: 'sleep 300' } };
/** A command that was allowed and runs. */
const RUNNING = {
  ask: COMMAND,
  granted: [{ update: { toolCallId: 't1', status: 'in_progress' } }, { hang: true }],
  refused: [{ end: 'end_turn' }],
};

interface Broken {
  readonly name: string;
  readonly script: object;
  readonly code: string;
  readonly says: RegExp;
  readonly step?: object;
}

const turn = (...steps: readonly object[]): object => ({ deaf: true, turns: [[...steps, { hang: true }]] });

const BROKEN: readonly Broken[] = [
  {
    name: 'ends before its answer',
    script: turn({ exit: 7 }),
    code: 'AGENT_FAILED',
    says: /^the agent gemini ended before its answer \(exit code 7\): .*out of credit$/,
  },
  {
    name: 'ends with a good exit code, without an answer',
    script: turn({ say: 'done' }, { exit: 0 }),
    code: 'AGENT_FAILED',
    says: /ended before its answer \(exit code 0\)/,
  },
  {
    name: 'sends garbage',
    script: turn({ raw: 'Welcome to gemini!' }),
    code: 'AGENT_FAILED',
    says: /^gemini: it sent a line that is no JSON: "Welcome to gemini!"/,
  },
  {
    name: 'sends a line of 100 MB',
    script: turn({ long: 100 }),
    code: 'AGENT_FAILED',
    says: /^gemini sent a line of more than 16777216 bytes$/,
  },
  {
    name: 'answers twice',
    script: { before: { 'session/new': [{ raw: '{"jsonrpc":"2.0","id":1,"result":{}}' }] }, turns: [] },
    code: 'AGENT_FAILED',
    says: /^gemini: it answered 1, which nobody asked or it answered before$/,
  },
  {
    name: 'answers what nobody asked',
    script: turn({ raw: '{"jsonrpc":"2.0","id":99,"result":{}}' }),
    code: 'AGENT_FAILED',
    says: /^gemini: it answered 99, which nobody asked or it answered before$/,
  },
  {
    name: 'asks in a session that nobody opened',
    script: turn({ session: 's9', ask: COMMAND }),
    code: 'AGENT_FAILED',
    says: /it asks for a permission in the session "s9", which has no prompt$/,
  },
  {
    name: 'ends its turn for a reason that nobody knows',
    script: turn({ answer: { stopReason: 'bored' } }),
    code: 'AGENT_FAILED',
    says: /ended its turn for a reason that is not known: bored$/,
  },
  {
    name: 'answers nothing that can be read',
    script: turn({ answer: { reason: 'end_turn' } }),
    code: 'AGENT_FAILED',
    says: /^gemini: stopReason is no text$/,
  },
  {
    name: 'refuses to go on',
    script: turn({ answer: { stopReason: 'refusal' } }),
    code: 'AGENT_FAILED',
    says: /^gemini refused to go on$/,
  },
  {
    name: 'speaks another version',
    script: { version: 7, turns: [] },
    code: 'AGENT_FAILED',
    says: /^gemini: it speaks version 7 of the protocol, not 1$/,
  },
  {
    name: 'does not have the mode in which it asks',
    script: { modes: ['auto', 'yolo'], turns: [] },
    code: 'AGENT_FAILED',
    says: /^gemini has no mode "default" \(its modes: auto, yolo\), so nothing says that it asks/,
  },
  {
    name: 'tells of no modes',
    script: { modes: [], turns: [] },
    code: 'AGENT_FAILED',
    says: /^gemini has no mode "default" \(its modes: none\)/,
  },
  {
    name: 'does not confirm the mode',
    script: { refusesMode: true, turns: [] },
    code: 'AGENT_FAILED',
    says: /^gemini answered session\/set_mode with an error: "no"$/,
  },
  {
    name: 'begins before it is asked to',
    script: {
      before: { 'session/new': [{ update: { toolCallId: 't0', kind: 'read', status: 'completed' } }] },
      turns: [],
    },
    code: 'AGENT_FAILED',
    says: /^gemini: it tells of a call before there is a session$/,
  },
  {
    name: 'never answers the first question',
    script: { deaf: true, ignores: 'initialize', turns: [] },
    step: { timeout: 1 },
    code: 'STEP_TIMEOUT',
    says: /ran longer than the timeout of the step \(1 s\)/,
  },
  {
    name: 'never ends its turn',
    script: { deaf: true, child: true, turns: [[{ say: 'thinking' }, { hang: true }]] },
    step: { guardrails: { max_execution_time: 1 } },
    code: 'AGENT_LIMIT',
    says: /^max_execution_time 1: 1 used, and there is no final answer$/,
  },
];

describe('an ACP agent that is broken', { timeout: 300_000, skip: lacks }, () => {
  for (const { name, script, code, says, step = {} } of BROKEN)
    test(`${name}: the step says so, and nothing runs on`, async (t) => {
      const desk = openOtherBench(t, script);
      desk.workflow(step);
      const { run } = await desk.run();
      assert.equal(run.error?.code, code, JSON.stringify(run.error));
      assert.match(run.error.message, says);
      assertNothingLeft(run.id);
      checkPairs(desk.agentEvents(run.id));
      assert.ok(desk.heard().length > 0, 'it was alive');
    });

  const leaks: readonly (readonly [where: string, step: object])[] = [
    ['as garbage', { raw: `key ${GEMINI_KEY}` }],
    [
      'as what it does unasked',
      { update: { toolCallId: 't1', title: `\u001b[2Jsend ${GEMINI_KEY}`, status: 'in_progress' } },
    ],
    ['as the end of its turn', { end: `ended ${GEMINI_KEY}` }],
    [
      'as a tool that it asks for',
      { ask: { toolCallId: 't1', title: GEMINI_KEY, rawInput: { key: GEMINI_KEY } } },
    ],
  ];
  for (const [where, step] of leaks)
    test(`tells its key ${where}: nothing of it is kept`, async (t) => {
      const desk = openOtherBench(t, { turns: [[step, { end: 'end_turn' }]] });
      desk.workflow();
      const { run, stderr } = await desk.run();
      const kept = `${JSON.stringify(run)}${JSON.stringify(desk.bench.journal(run.id))}${stderr}`;
      assert.ok(/hmac:[0-9a-f]{8}:/.test(kept), 'it was masked');
      assert.ok(!kept.includes(GEMINI_KEY));
      assert.ok(!kept.includes('\\u001b'));
      for (const file of filesBelow(desk.bench.home))
        assert.ok(!readFileSync(file).includes(GEMINI_KEY), `${file} holds the key`);
    });

  test('floods us with updates: they are read, and nothing of them is kept', async (t) => {
    const desk = openOtherBench(t, { turns: [[{ flood: 50_000 }, { say: 'so many' }, { end: 'end_turn' }]] });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'a')['text'], 'so many');
  });

  test('asks for what we do not offer: it is told so, and may go on', async (t) => {
    const request = { method: 'fs/read_text_file', params: { sessionId: 's1', path: '/etc/passwd' } };
    const desk = openOtherBench(t, { turns: [[{ request }, { end: 'end_turn' }]] });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [answered] = desk.heard().flatMap((entry) => entry['answered'] ?? []);
    assert.deepEqual(answered, { error: { code: -32601, message: 'fs/read_text_file is not offered' } });
  });

  test('is not there: the program is named', async (t) => {
    const desk = openOtherBench(t);
    rmSync(join(desk.bench.env['HOME'] ?? '', 'tools', 'bin', 'gemini'));
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'SPAWN_FAILED');
    assert.equal(run.error.message, 'the program "gemini" was not found or is not executable');
  });
});

describe('an ACP agent that is ended', { timeout: 300_000, skip: lacks }, () => {
  test('by a stop is told to cancel, and its open call is interrupted', async (t) => {
    const desk = openOtherBench(t, { turns: [[RUNNING]] });
    desk.workflow();
    const id = await desk.start();
    await eventually('the call runs', () => desk.heard().some((entry) => 'permission' in entry));
    await desk.bench.q('stop', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'stopped');
    assert.ok(desk.heard().some(({ method }) => method === 'session/cancel'));
    checkPairs(desk.agentEvents(id));
    assert.equal(lines(desk.agentEvents(id)).at(-1), 'tool_ended c1-1 interrupted');
  });

  test('by a stop goes on when a person resumes it, anew and with the key that is given then', async (t) => {
    const desk = openOtherBench(t, { turns: [[RUNNING]] });
    desk.workflow({ guardrails: { max_iterations: 2 } });
    const id = await desk.start();
    await eventually('the call runs', () => desk.heard().some((entry) => 'permission' in entry));
    await desk.bench.q('stop', id);
    assert.equal((await endOf(desk.bench, id)).status, 'stopped');
    const script = { turns: [[{ say: 'at last' }, { end: 'end_turn' }]] };
    writeFileSync(join(desk.bench.workspace, 'acp-script.json'), JSON.stringify(script));
    await desk.bench.qWith({ ...desk.env, GEMINI_API_KEY: 'another-key-0123' }, 'resume', id, '--json');
    const run = await desk.bench.status(id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const { text, iterations, tool_calls } = outputsOf(run, 'a');
    assert.deepEqual([text, iterations, tool_calls], ['at last', 2, 1]);
    assert.deepEqual(
      desk.heard().flatMap((entry) => ('started' in entry ? [entry['key']] : [])),
      [GEMINI_KEY, 'another-key-0123'],
    );
  });

  test('by a kill switch of the tool that it uses ends with it', async (t) => {
    const desk = openOtherBench(t, { deaf: true, child: true, turns: [[RUNNING]] });
    desk.workflow();
    const id = await desk.start();
    await eventually('the call runs', () => desk.heard().some((entry) => 'permission' in entry));
    await desk.bench.q('kill', 'tool:execute_bash', '--reason', 'test');
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'KILL_SWITCH', JSON.stringify(run.error));
    checkPairs(desk.agentEvents(id));
    assert.equal(lines(desk.agentEvents(id)).at(-1), 'tool_ended c1-1 interrupted');
    // And it is refused as long as the switch is tripped.
    const { run: next } = await desk.run();
    assert.equal(next.status, 'completed', JSON.stringify(next.error));
    assert.equal(desk.heard().filter((entry) => 'permission' in entry).length, 2);
    assert.ok(
      desk
        .agentEvents(next.id)
        .some((event) => event.type === 'agent.tool_ended' && event.outcome === 'denied'),
    );
  });

  test('by the death of its instance begins anew, and what it used stays used', async (t) => {
    const desk = openOtherBench(t, { turns: [[RUNNING]] });
    desk.workflow({ guardrails: { max_iterations: 2 } });
    const id = await desk.start();
    for (const count of [1, 2]) {
      await eventually(
        `call ${count} runs`,
        () => desk.heard().filter((entry) => 'permission' in entry).length === count,
      );
      process.kill(await eventually('the process of the instance', () => hostOf(id)), 'SIGKILL');
    }
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'AGENT_LIMIT', JSON.stringify(run.error));
    assert.equal(run.error.message, 'max_iterations 2: 2 used, and there is no final answer');
    checkPairs(desk.agentEvents(id));
    assert.deepEqual(lines(desk.agentEvents(id)), [
      'requested 1',
      'tool_called c1-1 execute_bash',
      'tool_ended c1-1 interrupted',
      'requested 2',
      'tool_called c2-1 execute_bash',
      'tool_ended c2-1 interrupted',
    ]);
    assert.equal(desk.heard().filter(({ method }) => method === 'session/prompt').length, 2);
  });
});

/** Of an ended run: what was kept for it is gone. */
function filesBelow(folder: string): string[] {
  return globSync('**/*', { cwd: folder })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}
