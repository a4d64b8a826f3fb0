import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import { checkPairs, lines } from '../agents/fake-world.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, foldersOf, outputsOf, textOf } from '../setup/leftovers.ts';
import { GEMINI_KEY, type OtherBench, openOtherBench } from '../setup/other-agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const EDIT = { toolCallId: 't1', kind: 'edit', title: 'Edit', status: 'pending', rawInput: { path: 'made' } };

describe('an agent that speaks ACP', { timeout: 300_000, skip: lacks }, () => {
  test('asks, is allowed once, and its last words are the result', async (t) => {
    const desk = openOtherBench(t, {
      turns: [
        [
          { say: 'First I write. ' },
          { update: EDIT },
          {
            ask: { toolCallId: 't1' },
            granted: [
              { update: { toolCallId: 't1', status: 'in_progress' } },
              { touch: 'made' },
              {
                update: {
                  toolCallId: 't1',
                  status: 'completed',
                  content: [{ type: 'content', content: { type: 'text', text: 'wrote it' } }],
                },
              },
            ],
          },
          { update: { toolCallId: 't2', kind: 'read', status: 'completed', rawInput: { path: 'made' } } },
          { say: 'All is ' },
          { say: 'well' },
          { end: 'end_turn', usage: { inputTokens: 70, outputTokens: 8 } },
        ],
      ],
    });
    desk.workflow({ outputs: ['verdict'] });
    const { run, code } = await desk.run();
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(outputsOf(run, 'a'), {
      text: 'All is well',
      verdict: 'All is well',
      iterations: 1,
      usage: { in: 70, out: 8, cached: 0, estimated: false },
      tool_calls: 2,
    });
    assert.deepEqual(lines(desk.agentEvents(run.id)), [
      'requested 1',
      'tool_called c1-1 fs_write',
      'tool_ended c1-1 ok',
      'tool_called c1-2 fs_read',
      'tool_ended c1-2 ok',
      'answered 1 end_turn',
    ]);
    assertNothingLeft(run.id);
    const heard = desk.heard();
    const [began] = heard;
    assert.deepEqual([began?.['started'], began?.['key'], began?.['other']], [['--acp'], GEMINI_KEY, null]);
    assert.match(JSON.stringify(began?.['home']), /^"\/var\/tmp\/q-workflow-\w+\/agent-\w+"$/);
    assert.deepEqual(
      heard.flatMap(({ method }) => method ?? []),
      ['initialize', 'session/new', 'session/set_mode', 'session/prompt'],
    );
    assert.deepEqual(heard.find(({ method }) => method === 'session/set_mode')?.['params'], {
      sessionId: 's1',
      modeId: 'default',
    });
    assert.deepEqual(
      heard.flatMap(({ permission }) => permission ?? []),
      [{ outcome: { outcome: 'selected', optionId: 'p-yes' } }],
    );
    const logs = await desk.bench.q('logs', run.id);
    assert.match(logs.stdout + logs.stderr, /the key is \*\*\*/);
  });

  test('is refused once by kind where a policy denies, and ends as it likes', async (t) => {
    const desk = openOtherBench(t, {
      turns: [
        [
          { update: { toolCallId: 't1', kind: 'execute', title: '`touch x`', status: 'pending' } },
          {
            ask: { toolCallId: 't1', rawInput: { command: 'git push' } },
            granted: [{ touch: 'x' }],
            refused: [
              { update: { toolCallId: 't1', status: 'failed' } },
              { say: 'I may not.' },
              { end: 'end_turn' },
            ],
          },
        ],
      ],
    });
    desk.policy({ default: 'allow', rules: [{ id: 'no-push', effect: 'deny', command: 'git push' }] });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'a')['text'], 'I may not.');
    assert.deepEqual(lines(desk.agentEvents(run.id)).slice(1, 3), [
      'tool_called c1-1 execute_bash',
      'tool_ended c1-1 denied',
    ]);
    assert.deepEqual(answersOf(desk), [{ outcome: { outcome: 'selected', optionId: 'p-no' } }]);
    assert.ok(!existsSync(join(desk.bench.workspace, 'x')));
  });

  test('is refused at once where a person would have to approve, and nothing waits', async (t) => {
    const desk = openOtherBench(t, {
      turns: [[{ ask: EDIT, granted: [{ touch: 'made' }] }, { say: 'Without it.' }, { end: 'end_turn' }]],
    });
    desk.policy({ default: 'ask', rules: [] });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(answersOf(desk), [{ outcome: { outcome: 'selected', optionId: 'p-no' } }]);
    assert.ok(!existsSync(join(desk.bench.workspace, 'made')));
    assert.ok(lines(desk.agentEvents(run.id)).includes('tool_ended c1-1 denied'));
    const { stdout } = await desk.bench.q('approvals', '--json');
    assert.deepEqual(JSON.parse(stdout), []);
    checkPairs(desk.agentEvents(run.id));
  });

  for (const decision of ['approve', 'deny'] as const)
    test(`stands still while a person is asked, and goes on when they ${decision}`, async (t) => {
      const end = [{ say: 'Done.' }, { end: 'end_turn' }];
      const granted = [
        { update: { toolCallId: 't1', status: 'in_progress' } },
        { touch: 'made' },
        { update: { toolCallId: 't1', status: 'completed' } },
      ];
      const desk = openOtherBench(t, {
        turns: [[{ update: EDIT }, { ask: { toolCallId: 't1' }, granted }, ...end]],
      });
      desk.policy({ default: 'allow', rules: [{ id: 'ask-write', effect: 'ask', tool: 'fs_write' }] });
      desk.workflow({ guardrails: { max_execution_time: 20 } });
      const id = await desk.start();
      const [asked] = await eventually('a person is asked', async () => {
        const all = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
        return all.length === 1 && all;
      });
      assert.deepEqual([asked?.what, asked?.call], ['fs_write', 'c1-1']);
      /** The kernel says so of a cgroup of version 2, also beside those of version 1. */
      const states = (): string[] =>
        foldersOf(id).flatMap((folder) =>
          globSync('**/cgroup.events', { cwd: folder }).map((file) => textOf(join(folder, file))),
        );
      const { isolation } = await desk.bench.status(id);
      if (isolation?.backend !== 'polling')
        await eventually('the agent stands still', () =>
          states().some((state) => state.includes('frozen 1')),
        );
      assert.ok(!existsSync(join(desk.bench.workspace, 'made')));
      await desk.bench.q(decision, id);
      const run = await endOf(desk.bench, id);
      assert.equal(run.status, 'completed', JSON.stringify(run.error));
      assert.equal(existsSync(join(desk.bench.workspace, 'made')), decision === 'approve');
      const option = decision === 'approve' ? 'p-yes' : 'p-no';
      assert.deepEqual(answersOf(desk), [{ outcome: { outcome: 'selected', optionId: option } }]);
      checkPairs(desk.agentEvents(id));
    });

  test('whose prompt a person has to approve is asked about once, and sends it then', async (t) => {
    const desk = openOtherBench(t, { turns: [[{ say: 'Done.' }, { end: 'end_turn' }]] });
    desk.policy({ default: 'allow', rules: [{ id: 'ask-model', effect: 'ask', tool: 'model:*' }] });
    desk.workflow();
    const id = await desk.start();
    const [asked] = await eventually('a person is asked', async () => {
      const all = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
      return all.length === 1 && all;
    });
    assert.deepEqual([asked?.number, asked?.kind, asked?.call], [1, 'model', null]);
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(lines(desk.agentEvents(id)), ['requested 1', 'answered 1 end_turn']);
    assert.equal(outputsOf(run, 'a')['iterations'], 1);
  });

  test('that is stopped while a person is asked is gone, and the call was not run', async (t) => {
    const desk = openOtherBench(t, {
      turns: [[{ ask: EDIT, granted: [{ touch: 'made' }] }, { end: 'end_turn' }]],
    });
    desk.policy({ default: 'allow', rules: [{ id: 'ask-write', effect: 'ask', tool: 'fs_write' }] });
    desk.workflow();
    const id = await desk.start();
    await eventually('a person is asked', async () => {
      const all = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
      return all.length === 1;
    });
    await desk.bench.q('stop', id);
    assert.equal((await endOf(desk.bench, id)).status, 'stopped');
    assert.ok(!existsSync(join(desk.bench.workspace, 'made')));
    checkPairs(desk.agentEvents(id));
    assert.deepEqual(await desk.bench.json('approvals', id), []);
  });

  test('that is lost while a person is asked asks anew; what it asked before is withdrawn', async (t) => {
    const turn = [{ ask: EDIT, granted: [{ touch: 'made' }] }, { say: 'Done.' }, { end: 'end_turn' }];
    const desk = openOtherBench(t, { turns: [turn] });
    desk.policy({ default: 'allow', rules: [{ id: 'ask-write', effect: 'ask', tool: 'fs_write' }] });
    desk.workflow();
    const id = await desk.start();
    const waiting = (number: number): Promise<ApprovalDocument[]> =>
      eventually(`approval ${number} alone waits`, async () => {
        const all = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
        return all.length === 1 && all[0]?.number === number && all;
      });
    await waiting(1);
    const { pid } = await desk.bench.status(id);
    process.kill(pid ?? assert.fail('no process'), 'SIGKILL');
    await waiting(2);
    assert.ok(!existsSync(join(desk.bench.workspace, 'made')));
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.ok(existsSync(join(desk.bench.workspace, 'made')));
    checkPairs(desk.agentEvents(id));
  });

  test('agent file, guardrails and a missing allow_once refuse as well', async (t) => {
    const ask = (id: string, call: object, options?: object): object => ({
      ask: { toolCallId: id, ...call },
      ...(options === undefined ? {} : { options }),
    });
    const desk = openOtherBench(t, {
      turns: [
        [
          ask('t1', { kind: 'execute', rawInput: { command: 'ls' } }),
          ask('t2', { kind: 'edit', rawInput: { file_path: 'secret/x' } }),
          ask('t3', { kind: 'edit', rawInput: { path: 'ok' } }, [
            { optionId: 'p-always', name: 'Always', kind: 'allow_always' },
          ]),
          { end: 'end_turn' },
        ],
      ],
    });
    desk.agent({
      driver: 'acp',
      profile: 'gemini',
      tools: ['fs_write', 'execute_bash'],
      toolsSettings: { fs_write: { deniedPaths: ['secret/**'] } },
    });
    desk.workflow({ guardrails: { denied_tools: ['execute_bash'] } });
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const results = desk
      .agentEvents(run.id)
      .flatMap((event) => (event.type === 'agent.tool_ended' ? [event.result] : []));
    assert.deepEqual(results, [
      'denied: execute_bash is not allowed here',
      'denied: the agent file denies the path secret/**',
      'denied: it offers no way to allow this once',
    ]);
    const no = { outcome: { outcome: 'selected', optionId: 'p-no' } };
    assert.deepEqual(answersOf(desk), [no, no, { outcome: { outcome: 'cancelled' } }]);
  });

  const violations: readonly (readonly [
    name: string,
    steps: readonly object[],
    says: RegExp,
    more?: object,
  ])[] = [
    [
      'runs a command unasked',
      [
        {
          update: {
            toolCallId: 't1',
            kind: 'execute',
            title: 'rm',
            status: 'in_progress',
            rawInput: { command: 'rm x' },
          },
        },
      ],
      /^the agent gemini was killed: it ran without asking for permission \(execute_bash, "rm"\)$/,
    ],
    [
      'is only told to have run when it is over',
      [{ update: { toolCallId: 't1', title: 'magic', status: 'completed' } }],
      /it ran without asking for permission \(magic, "magic"\)$/,
    ],
    [
      'does what it was refused',
      [
        {
          ask: { toolCallId: 't1', kind: 'edit', title: 'E', rawInput: { path: 'no' } },
          refused: [{ update: { toolCallId: 't1', status: 'completed' } }],
        },
      ],
      /it ran although it was denied: no-write .*\(fs_write, "E"\)$/,
    ],
    [
      'reads unasked what it may not read',
      [
        {
          update: {
            toolCallId: 't1',
            kind: 'read',
            title: 'R',
            status: 'in_progress',
            rawInput: { path: '.env' },
          },
        },
      ],
      /it ran although it was denied: .*\(fs_read, "R"\)$/,
    ],
    [
      'does something else than it was allowed to',
      [
        {
          ask: { toolCallId: 't1', kind: 'execute', title: 'ls', rawInput: { command: 'ls' } },
          granted: [
            { update: { toolCallId: 't1', status: 'in_progress', rawInput: { command: 'git push' } } },
          ],
        },
      ],
      /it ran although it was denied: .*\(execute_bash, "ls"\)$/,
    ],
    [
      'leaves the mode in which it asks',
      [{ update: { sessionUpdate: 'current_mode_update', currentModeId: 'yolo' } }],
      /it left the mode "default" for "yolo"$/,
    ],
  ];
  for (const [name, steps, says] of violations)
    test(`that ${name} is killed for it, and the audit says so`, async (t) => {
      const desk = openOtherBench(t, { deaf: true, child: true, turns: [[...steps, { hang: true }]] });
      desk.policy({
        default: 'allow',
        rules: [
          { id: 'no-write', effect: 'deny', tool: 'fs_write', path: 'no', reason: 'no-write' },
          { id: 'no-env', effect: 'deny', tool: 'fs_read', path: '**/.env' },
          { id: 'no-push', effect: 'deny', command: 'git push' },
        ],
      });
      desk.workflow();
      const { run, code } = await desk.run();
      assert.equal(code, 1);
      assert.equal(run.error?.code, 'AGENT_VIOLATION', JSON.stringify(run.error));
      assert.match(run.error.message, says);
      assertNothingLeft(run.id);
      const events = desk.agentEvents(run.id);
      checkPairs(events);
      const { stdout } = await desk.bench.q('audit', 'list', '--type', 'agent.violated', '--json');
      assert.match(stdout, /"severity":"error"/);
      assert.match(stdout, new RegExp(run.id));
    });

  test('of the profile opencode may say that it runs before it asks, not that it ran', async (t) => {
    const call = { toolCallId: 't1', kind: 'execute', title: 'ls', rawInput: { command: 'ls' } };
    const running = { update: { ...call, status: 'in_progress' } };
    const desk = openOtherBench(t, {
      modes: ['build', 'plan'],
      turns: [
        [
          running,
          { ask: call, granted: [{ update: { toolCallId: 't1', status: 'completed' } }] },
          { update: { ...call, toolCallId: 't2', status: 'in_progress' } },
          { update: { toolCallId: 't2', status: 'completed' } },
          { end: 'end_turn' },
        ],
      ],
    });
    desk.agent({ driver: 'acp', profile: 'opencode' });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'AGENT_VIOLATION', JSON.stringify(run.error));
    assert.ok(lines(desk.agentEvents(run.id)).includes('tool_ended c1-1 ok'));
  });

  test('stops at max_tool_calls before the call that is one too many is answered', async (t) => {
    const ask = (n: number): object => ({
      ask: { toolCallId: `t${n}`, kind: 'edit', rawInput: { path: `f${n}` } },
      granted: [{ touch: `f${n}` }, { update: { toolCallId: `t${n}`, status: 'completed' } }],
    });
    const desk = openOtherBench(t, { turns: [[ask(1), ask(2), ask(3), { end: 'end_turn' }]] });
    desk.workflow({ guardrails: { max_tool_calls: 2 } });
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'AGENT_LIMIT');
    assert.equal(run.error.message, 'max_tool_calls 2: 2 used, and the agent asks for more');
    assert.deepEqual(
      [1, 2, 3].map((n) => existsSync(join(desk.bench.workspace, `f${n}`))),
      [true, true, false],
    );
    assert.equal(answersOf(desk).length, 2);
    assertNothingLeft(run.id);
  });

  test('that repeats itself is stuck', async (t) => {
    const again = (n: number): object => ({
      update: { toolCallId: `t${n}`, kind: 'read', status: 'completed', rawInput: { path: 'a' } },
    });
    const desk = openOtherBench(t, {
      turns: [[again(1), again(2), again(3), again(4), { end: 'end_turn' }]],
    });
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'AGENT_STUCK');
    assert.match(run.error.message, /the same call gave the same result 3 times: fs_read/);
  });

  test('mends its answer once in the same session, and fails with the next', async (t) => {
    const desk = openOtherBench(t, {
      turns: [
        [{ say: 'no JSON' }, { end: 'end_turn' }],
        [{ say: '{"x": 1, "y": 2}' }, { end: 'end_turn' }],
        [{ say: 'again' }, { end: 'end_turn' }],
      ],
    });
    desk.workflow({ outputs: ['x', 'y'] });
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const { x, y, iterations } = outputsOf(run, 'a');
    assert.deepEqual([x, y, iterations], [1, 2, 2]);
    desk.workflow({ outputs: ['x', 'y'], guardrails: { max_iterations: 1 } });
    const second = await desk.run();
    assert.equal(second.run.error?.code, 'OUTPUT_INVALID');
  });
});

function answersOf(desk: OtherBench): unknown[] {
  return desk.heard().flatMap(({ permission }) => permission ?? []);
}
