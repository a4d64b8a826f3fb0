import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { checkPairs, lines } from '../agents/fake-world.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, outputsOf, textOf } from '../setup/leftovers.ts';
import { type OtherBench, openOtherBench } from '../setup/other-agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

function benchFor(t: TestContext, script: object, profile = 'q', agent: object = {}): OtherBench {
  const desk = openOtherBench(t);
  desk.agent({ driver: 'headless', profile, ...agent });
  writeFileSync(join(desk.bench.workspace, 'chat-script.json'), JSON.stringify(script));
  return desk;
}

interface Heard {
  readonly words: readonly string[];
  readonly agent: JsonObject;
  readonly home: string;
  readonly key: string | null;
}

function heard({ bench }: OtherBench): Heard {
  return JSON.parse(readFileSync(join(bench.workspace, 'chat-heard.json'), 'utf8')) as Heard;
}

const READS = {
  default: 'deny',
  rules: [{ id: 'read', effect: 'allow', tool: ['fs_read', 'fs_list', 'search'] }],
};

describe('a headless agent', { timeout: 300_000, skip: lacks }, () => {
  test('is trusted with what is allowed whatever its arguments are, and its text is the result', async (t) => {
    const out = '\u001b[38;5;13m> \u001b[0mAll is \u001b[1mwell\u001b[0m\u0007\n\u001b[?25h';
    const desk = benchFor(t, { out }, 'q', { tools: ['fs_read'] });
    desk.policy(READS);
    desk.workflow({ outputs: ['verdict'] });
    const { run, code } = await desk.run();
    assert.equal(code, 0, JSON.stringify(run.error));
    const { text, verdict, iterations } = outputsOf(run, 'a');
    assert.deepEqual([text, verdict, iterations], ['All is well', 'All is well', 1]);
    const { words, agent, home } = heard(desk);
    assert.deepEqual(words, [
      'chat',
      '--no-interactive',
      '--agent',
      'q-workflow',
      '--trust-tools=fs_read',
      '--',
      'Task:\nDo it.',
    ]);
    assert.deepEqual([agent['tools'], agent['allowedTools']], [['fs_read'], ['fs_read']]);
    assert.match(JSON.stringify(agent['prompt']), /You are a helper\."$/);
    assert.match(home, /^\/var\/tmp\/q-workflow-\w+\/agent-\w+$/);
    assert.deepEqual(lines(desk.agentEvents(run.id)), [
      'requested 1',
      'tool_called c1-1 fs_read',
      'tool_called c1-2 fs_list',
      'tool_called c1-3 search',
      'tool_ended c1-1 ok',
      'tool_ended c1-2 ok',
      'tool_ended c1-3 ok',
      'answered 1 stop',
    ]);
    assertNothingLeft(run.id);
  });

  const untrusting: readonly (readonly [why: string, policy: object, agent: object, step: object])[] = [
    [
      'a rule looks at paths',
      {
        default: 'deny',
        rules: [{ id: 'r', effect: 'allow', tool: 'fs_read', path: { within: ['${workspace}'] } }],
      },
      {},
      {},
    ],
    [
      'some path is denied',
      { ...READS, rules: [...READS.rules, { id: 'e', effect: 'deny', tool: 'search', path: '**/.env' }] },
      {},
      {},
    ],
    ['the guardrails do not give it', READS, {}, { guardrails: { denied_tools: ['search'] } }],
    ['the agent file does not give it', READS, { tools: ['fs_write', 'execute_bash'] }, {}],
    ['the agent file has settings for it', READS, { toolsSettings: { fs_read: { deniedPaths: ['x'] } } }, {}],
    ['its calls are limited', READS, {}, { guardrails: { max_tool_calls: 3 } }],
  ];
  for (const [why, policy, agent, step] of untrusting)
    test(`is not trusted with a tool where ${why}`, async (t) => {
      const desk = benchFor(t, { out: '> ok' }, 'q', agent);
      desk.policy(policy);
      desk.workflow(step);
      const { run } = await desk.run();
      assert.equal(run.status, 'completed', JSON.stringify(run.error));
      assert.equal(heard(desk).words[4], '--trust-tools=');
      assert.deepEqual(heard(desk).agent['tools'], []);
      checkPairs(desk.agentEvents(run.id));
    });

  test('may never write or run commands, even where everything is allowed', async (t) => {
    const desk = benchFor(t, { out: '> ok' }, 'kiro-cli');
    desk.workflow();
    const { run } = await desk.run();
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const { agent, key } = heard(desk);
    assert.deepEqual(agent['tools'], ['fs_read', 'use_aws', 'knowledge', 'thinking', 'todo_list']);
    assert.equal(key, 'ki-test-0123456789');
    assert.ok(!JSON.stringify(desk.bench.journal(run.id)).includes('ki-test-0123456789'));
  });

  const exits: readonly (readonly [code: number, says: RegExp])[] = [
    [1, /^the agent kiro-cli ended with exit code 1; a tool that it is not trusted with .*: no such model$/],
    [2, /^the agent kiro-cli ended with exit code 2; it does not know these flags; .*: no such model$/],
    [3, /^the agent kiro-cli ended with exit code 3; an MCP server of it did not start: no such model$/],
  ];
  for (const [status, says] of exits)
    test(`fails the step with exit code ${status}, and says what it means`, async (t) => {
      const desk = benchFor(t, { code: status, err: '\u001b[31mno such model\u001b[0m\n' }, 'kiro-cli');
      desk.workflow();
      const { run } = await desk.run();
      assert.equal(run.error?.code, 'AGENT_FAILED');
      assert.match(run.error.message, says);
      assertNothingLeft(run.id);
    });

  test('that takes too long is ended', async (t) => {
    const desk = benchFor(t, { hang: true });
    desk.workflow({ timeout: 1 });
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'STEP_TIMEOUT', JSON.stringify(run.error));
    assertNothingLeft(run.id);
    checkPairs(desk.agentEvents(run.id));
  });

  test('ends with the kill switch of a tool that it is trusted with', async (t) => {
    const desk = benchFor(t, { hang: true });
    desk.workflow();
    const id = await desk.start();
    await eventually('it runs', () => textOf(join(desk.bench.workspace, 'chat-heard.json')) !== '');
    await desk.bench.q('kill', 'tool:search', '--reason', 'test');
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'KILL_SWITCH', JSON.stringify(run.error));
    checkPairs(desk.agentEvents(id));
  });

  test('whose answer is not what was asked for fails the step', async (t) => {
    const desk = benchFor(t, { out: '> no JSON' });
    desk.workflow({ outputs: ['x', 'y'] });
    const { run } = await desk.run();
    assert.equal(run.error?.code, 'OUTPUT_INVALID');
  });
});
