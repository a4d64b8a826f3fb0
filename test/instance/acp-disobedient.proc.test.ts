/** Another maker's agent that does what nobody offered, says one thing and does another, or dies wherever it can. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { checkPairs } from '../agents/fake-world.ts';
import { assertNothingLeft } from '../setup/leftovers.ts';
import { type OtherBench, openOtherBench } from '../setup/other-agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const END = { end: 'end_turn' };
const LS = { toolCallId: 't1', kind: 'execute', title: 'ls', rawInput: { command: 'ls' } };
const running = (toolCallId: string, more: object = {}): object => ({
  update: { toolCallId, status: 'in_progress', ...more },
});
const exit = [{ exit: 9 }];

/** Where it dies: at each message that it hears, and at each that it has to say. */
const DEATHS: readonly (readonly [where: string, script: object])[] = [
  ['at initialize', { before: { initialize: exit }, turns: [] }],
  ['at session/new', { before: { 'session/new': exit }, turns: [] }],
  ['at session/set_mode', { before: { 'session/set_mode': exit }, turns: [] }],
  ['at session/prompt', { before: { 'session/prompt': exit }, turns: [] }],
  ['after half an answer', { turns: [[{ say: 'half' }, { exit: 9 }]] }],
  ['when it is granted', { turns: [[{ ask: LS, granted: exit, refused: exit }]] }],
  ['in the midst of a call', { turns: [[{ ask: LS, granted: [running('t1'), { exit: 9 }] }]] }],
  ['in the midst of a message', { turns: [[{ raw: '{"jsonrpc":"2.0","method":"session/up' }, { exit: 9 }]] }],
];

const DENY_LS = {
  default: 'allow',
  rules: [
    { effect: 'deny', command: 'rm' },
    { effect: 'deny', path: '**/.env' },
  ],
};

interface Disobedient {
  readonly name: string;
  readonly turn: readonly object[];
  readonly code: string;
}

const DISOBEDIENT: readonly Disobedient[] = [
  {
    name: 'runs another command than was allowed',
    turn: [
      { ask: LS, granted: [running('t1', { rawInput: { command: 'rm -rf x' } }), { touch: 'late' }] },
      END,
    ],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'tells afterwards that it was another command',
    turn: [
      {
        ask: LS,
        granted: [
          running('t1'),
          { update: { toolCallId: 't1', status: 'completed', rawInput: { command: 'rm x' } } },
        ],
      },
      END,
    ],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'runs a second call on the permission of the first',
    turn: [{ ask: LS, granted: [running('t2', { kind: 'execute', rawInput: { command: 'ls' } })] }, END],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'asks again under the id of a call that has ended, is refused and runs it',
    turn: [
      {
        ask: LS,
        granted: [running('t1'), { update: { toolCallId: 't1', status: 'completed' } }],
      },
      { ask: LS, refused: [{ update: { toolCallId: 't1', status: 'completed' } }] },
      END,
    ],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'leaves its mode and tells so by an option',
    turn: [
      {
        update: {
          sessionUpdate: 'config_option_update',
          configOptions: [
            { id: 'model', category: 'model', type: 'select', currentValue: 'x', options: [] },
            { id: 'how', category: 'mode', type: 'select', currentValue: 'yolo', options: [] },
          ],
        },
      },
      END,
    ],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'calls the edit of a forbidden file by the word of its editor',
    turn: [
      {
        ask: {
          toolCallId: 't1',
          kind: 'edit',
          rawInput: { command: 'create', path: '.env', file_text: 'x' },
        },
        refused: [running('t1')],
      },
      END,
    ],
    code: 'AGENT_VIOLATION',
  },
  {
    name: 'tells of calls in a session that nobody opened',
    turn: [
      {
        raw: JSON.stringify({
          jsonrpc: '2.0',
          method: 'session/update',
          params: {
            sessionId: 's9',
            update: {
              sessionUpdate: 'tool_call',
              toolCallId: 't9',
              kind: 'execute',
              status: 'in_progress',
              rawInput: { command: 'rm x' },
            },
          },
        }),
      },
      END,
    ],
    code: 'any failure',
  },
  {
    name: 'changes its mode',
    turn: [{ update: { sessionUpdate: 'current_mode_update', currentModeId: 'yolo' } }, END],
    code: 'AGENT_VIOLATION',
  },
];

/** Whatever became of it: nothing is left, each call has its outcome, the audit holds. */
async function checkEnd(desk: OtherBench, id: string): Promise<void> {
  assertNothingLeft(id);
  checkPairs(desk.agentEvents(id));
  assert.ok(desk.heard().length > 0, 'it was alive');
  assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
}

describe('an ACP agent that is disobedient', { timeout: 300_000, skip: lacks }, () => {
  for (const [where, script] of DEATHS)
    test(`dies ${where}: the step fails, and says how`, async (t) => {
      const desk = openOtherBench(t, script);
      desk.workflow();
      const { run } = await desk.run();
      assert.equal(run.error?.code, 'AGENT_FAILED', JSON.stringify(run.error));
      assert.match(run.error.message, /exit code 9|no JSON/);
      await checkEnd(desk, run.id);
    });

  for (const { name, turn, code } of DISOBEDIENT)
    test(`${name}: it is ended`, async (t) => {
      const desk = openOtherBench(t, { deaf: true, turns: [turn] });
      desk.policy(DENY_LS);
      desk.workflow();
      const { run } = await desk.run();
      assert.equal(run.status, 'failed', JSON.stringify(run));
      if (code !== 'any failure') assert.equal(run.error?.code, code, JSON.stringify(run.error));
      await checkEnd(desk, run.id);
    });

  test('asks for files and terminals of its client: none is offered, and nothing is done', async (t) => {
    const ask = (method: string, params: object): object => ({
      request: { method, params: { sessionId: 's1', ...params } },
    });
    const desk = openOtherBench(t, {
      turns: [
        [
          ask('fs/write_text_file', { path: '/tmp/qw-never', content: 'x' }),
          ask('fs/read_text_file', { path: '/etc/shadow' }),
          ask('terminal/create', { command: 'touch', args: ['never'] }),
          ask('session/new', { cwd: '/', mcpServers: [] }),
          END,
        ],
      ],
    });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const answers = desk
      .heard()
      .flatMap((entry) => ('answered' in entry ? [JSON.stringify(entry['answered'])] : []));
    assert.equal(answers.length, 4);
    for (const answer of answers) assert.match(answer, /is not offered/);
    for (const file of ['/tmp/qw-never', join(desk.bench.workspace, 'never')])
      assert.ok(!existsSync(file), file);
    await checkEnd(desk, run.id);
  });

  test('answers with 10 MB in one message: it is read, and what is kept of it is capped', async (t) => {
    const desk = openOtherBench(t, { turns: [[{ say: 'y'.repeat(10 * 1024 * 1024) }, END]] });
    desk.workflow();
    const { run } = await desk.run();
    assert.ok(run.status === 'completed' || run.error?.code === 'AGENT_FAILED', JSON.stringify(run.error));
    await checkEnd(desk, run.id);
  });
});
