import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AgentHook, type AgentHooks, isAbout, readHooks } from '../../src/agents/hooks/hook.ts';
import { HookCache } from '../../src/agents/hooks/hook-cache.ts';
import { hookResult } from '../../src/agents/hooks/hook-result.ts';
import type { TaskHooks } from '../../src/agents/hooks/task-hooks.ts';
import { Suspended } from '../../src/agents/run.ts';
import type { CommandEnd } from '../../src/agents/run-command.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import type { HookEvent } from '../../src/engine/agent-events.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import type { Permit } from '../../src/protocol/instance-link.ts';
import { interruptions } from '../../src/protocol/open-calls.ts';
import { Fields, NoteList } from '../../src/skills/fields.ts';
import { calls, type FakeOptions, fakeAgent, lines, says } from './fake-world.ts';

const ENDED: CommandEnd = {
  code: 0,
  signal: null,
  isTimedOut: false,
  isOutOfMemory: false,
  hasRun: true,
  stdout: '',
  stderr: '',
  bytes: 0,
};
const hook = (command: string, more: Partial<AgentHook> = {}): AgentHook => ({
  command,
  matcher: null,
  timeoutMs: 30_000,
  maxOutputBytes: 10_240,
  cacheTtlMs: 0,
  ...more,
});

/** Hooks that end as they are told to, by their commands; `ran` has each with what it read. */
function hooksOf(
  hooks: AgentHooks,
  ends: Readonly<Record<string, Partial<CommandEnd> | Error>> = {},
  cache = new HookCache(() => 0),
): TaskHooks & { readonly ran: { command: string; stdin: JsonObject }[] } {
  const ran: { command: string; stdin: JsonObject }[] = [];
  return {
    ran,
    hooks,
    cwd: '/work',
    session: 'i/a',
    outputs: cache.of('agent'),
    run: async ({ command }, stdin) => {
      ran.push({ command, stdin: JSON.parse(stdin) as JsonObject });
      const end = ends[command] ?? {};
      if (end instanceof Error) throw end;
      return { ...ENDED, ...end };
    },
  };
}

const SEARCH: FakeOptions = {
  turns: [calls(['search', { pattern: 'x' }]), says('done')],
  tools: { search: () => ({ isError: false, text: 'found' }) },
};
const entries = (events: readonly RunEvent[]) => events.map((event) => ({ event }));
const shown = (events: readonly RunEvent[]): string[] =>
  lines(events).filter((line) => !/answered/.test(line));

describe('when hooks run', () => {
  test('each at its event, told what Q and Kiro tell, with an intent before and an outcome after', async () => {
    const hooks = hooksOf(
      {
        agentSpawn: [hook('spawned')],
        userPromptSubmit: [hook('asked')],
        preToolUse: [hook('before')],
        postToolUse: [hook('after')],
        stop: [hook('over')],
      },
      { spawned: { stdout: 'branch: main\n' }, asked: { stdout: 'it is late' }, after: { stdout: 'noted' } },
    );
    const agent = fakeAgent({ ...SEARCH, hooks });
    assert.equal((await agent.run())?.['text'], 'done');
    const common = { cwd: '/work', session_id: 'i/a' };
    const call = { tool_name: 'search', tool_input: { pattern: 'x' } };
    assert.deepEqual(hooks.ran, [
      { command: 'spawned', stdin: { hook_event_name: 'agentSpawn', ...common } },
      { command: 'asked', stdin: { hook_event_name: 'userPromptSubmit', ...common, prompt: 'Do it.' } },
      { command: 'before', stdin: { hook_event_name: 'preToolUse', ...common, ...call } },
      {
        command: 'after',
        stdin: {
          hook_event_name: 'postToolUse',
          ...common,
          ...call,
          tool_response: { success: true, result: ['found'] },
        },
      },
      { command: 'over', stdin: { hook_event_name: 'stop', ...common, assistant_response: 'done' } },
    ]);
    assert.deepEqual(shown(agent.events), [
      'tool_called a1-agentSpawn-1 hook:agentSpawn',
      'tool_ended a1-agentSpawn-1 ok',
      'tool_called a1-userPromptSubmit-1 hook:userPromptSubmit',
      'tool_ended a1-userPromptSubmit-1 ok',
      'requested 1',
      'tool_called c1-1 search',
      'tool_called c1-1-preToolUse-1 hook:preToolUse',
      'tool_ended c1-1-preToolUse-1 ok',
      'tool_ended c1-1 ok',
      'tool_called c1-1-postToolUse-1 hook:postToolUse',
      'tool_ended c1-1-postToolUse-1 ok',
      'requested 2',
      'tool_called i2-stop-1 hook:stop',
      'tool_ended i2-stop-1 ok',
    ]);
    // What is printed before the first request is said to the model; of later hooks nothing is.
    const [first] = agent.requests[0]?.messages ?? [];
    assert.deepEqual(first, {
      role: 'user',
      text: 'Do it.\n\nSaid by the hook agentSpawn of this agent:\nbranch: main\n\nSaid by the hook userPromptSubmit of this agent:\nit is late',
    });
    assert.ok(!JSON.stringify(agent.requests).includes('noted'));
  });

  test('postToolUse runs when its call is over, before the calls that have not begun', async () => {
    // Four calls run beside each other: the fifth begins when one of them is over.
    const five = [1, 2, 3, 4, 5].map((n) => ['search', { pattern: `x${n}` }] as const);
    const hooks = hooksOf({ postToolUse: [hook('after')] });
    const agent = fakeAgent({
      ...SEARCH,
      turns: [calls(...five.map(([name, args]) => [name, args] as [string, JsonObject])), says('done')],
      hooks,
    });
    await agent.run();
    const all = lines(agent.events);
    const fifth = all.indexOf('tool_called c1-5 search');
    const firstHook = all.findIndex((line) => line.endsWith('hook:postToolUse'));
    assert.ok(firstHook !== -1 && firstHook < fifth, all.join('\n'));
    assert.equal(hooks.ran.length, 5);
  });

  test('each has a permit of its own, asked right after its intent, and counts for no limit of tools', async () => {
    const hooks = hooksOf({ preToolUse: [hook('before')] });
    const agent = fakeAgent({ ...SEARCH, hooks, limits: { maxToolCalls: 1 } });
    const result = await agent.run();
    assert.equal(result?.['tool_calls'], 1);
    const asked = agent.asked.filter(({ kind }) => kind === 'hook');
    assert.deepEqual(
      asked.map(({ intent, after }) => [intent, lines(agent.events)[after - 1]]),
      [
        [
          { iteration: 1, call: 'c1-1-preToolUse-1', tool: 'hook:preToolUse' },
          'tool_called c1-1-preToolUse-1 hook:preToolUse',
        ],
      ],
    );
    const called = agent.events.find(
      (event) => event.type === 'agent.tool_called' && event.hook !== undefined,
    );
    assert.ok(called?.type === 'agent.tool_called');
    assert.deepEqual(
      [called.args, called.hook],
      [
        { event: 'preToolUse', command: 'before', tool: 'search' },
        { event: 'preToolUse', call: 'c1-1' },
      ],
    );
  });

  test('a matcher picks its tools, by name, alias, family and server', () => {
    const about = (matcher: string | null): string[] =>
      [
        'fs_read',
        'fs_list',
        'fs_write',
        'exec',
        'execute_bash',
        'http_fetch',
        '@git/status',
        '@git/log',
      ].filter((tool) => isAbout(hook('x', { matcher }), tool));
    assert.equal(about(null).length, 8);
    assert.equal(about('*').length, 8);
    assert.deepEqual(about('write'), ['fs_write']);
    assert.deepEqual(about('fs_read'), ['fs_read', 'fs_list']);
    // What is said of shells is meant for our tool without one as well.
    assert.deepEqual(about('shell'), ['exec', 'execute_bash']);
    assert.deepEqual(about('execute_bash'), ['exec', 'execute_bash']);
    assert.deepEqual(about('exec'), ['exec']);
    assert.deepEqual(about('@git'), ['@git/status', '@git/log']);
    assert.deepEqual(about('@git/status'), ['@git/status']);
    assert.deepEqual(about('@builtin').length, 6);
  });
});

describe('what a hook before a call does', () => {
  const run = async (end: Partial<CommandEnd> | Error, permit?: FakeOptions['permit']) => {
    let ran = 0;
    const hooks = hooksOf({ preToolUse: [hook('first'), hook('guard'), hook('last')] }, { guard: end });
    const agent = fakeAgent({
      ...SEARCH,
      tools: { search: () => ({ isError: false, text: `ran ${++ran}` }) },
      hooks,
      ...(permit === undefined ? {} : { permit }),
    });
    await agent.run();
    const told = JSON.stringify(agent.requests[1]?.messages.at(-1));
    return { ran, told, hooks: hooks.ran.map(({ command }) => command), events: shown(agent.events) };
  };

  test('exit 2 blocks it, with its words to the model, and no further hook runs', async () => {
    const { ran, told, hooks, events } = await run({ code: 2, stderr: 'not on a Friday\n' });
    assert.equal(ran, 0);
    assert.match(told, /denied: a hook of the agent file blocked it: not on a Friday/);
    assert.deepEqual(hooks, ['first', 'guard']);
    assert.ok(
      events.includes('tool_ended c1-1-preToolUse-2 denied') && events.includes('tool_ended c1-1 denied'),
    );
  });

  test('another exit code is told, and the call is run', async () => {
    const { ran, hooks, events } = await run({ code: 1, stderr: 'no such file' });
    assert.deepEqual([ran, hooks.length], [1, 3]);
    assert.ok(events.includes('tool_ended c1-1-preToolUse-2 error') && events.includes('tool_ended c1-1 ok'));
  });

  test('one that had no say blocks: refused by a policy, not started, killed', async () => {
    const refuse: FakeOptions['permit'] = (kind, { call }) =>
      kind === 'hook' && call?.endsWith('-2') ? { decision: 'deny', reason: 'no hooks here' } : {};
    for (const [end, permit, why] of [
      [{}, refuse, /blocked it: the hook was refused: no hooks here/],
      [
        new WorkflowError('SPAWN_FAILED', 'bash was not found'),
        undefined,
        /could not be run: SPAWN_FAILED: bash was not found/,
      ],
      [
        { code: null, signal: 'SIGKILL', isTimedOut: true },
        undefined,
        /longer than its timeout of 30 s and was killed/,
      ],
      [{ code: null, signal: 'SIGSEGV' }, undefined, /ended by SIGSEGV/],
      [{ code: 137, isOutOfMemory: true }, undefined, /killed for memory/],
      [{ code: 1, hasRun: false, stderr: 'bwrap: no' }, undefined, /could not be started: bwrap: no/],
    ] as const) {
      const { ran, told } = await run(end, permit);
      assert.equal(ran, 0, String(why));
      assert.match(told, why);
    }
  });

  test('it never allows: what the policies deny is denied before it is asked', async () => {
    const { ran, hooks } = await run({}, (kind) =>
      kind === 'tool' ? { decision: 'deny', reason: 'no' } : {},
    );
    assert.deepEqual([ran, hooks], [0, []]);
  });

  test('one that a kill switch ended blocks', async () => {
    const hooks = hooksOf({ preToolUse: [hook('guard')] });
    let ran = 0;
    const agent = fakeAgent({
      ...SEARCH,
      tools: { search: () => ({ isError: false, text: `ran ${++ran}` }) },
      hooks,
      switchedOff: (tool) => (tool === 'hook' ? 'tool:hook' : null),
    });
    await agent.run();
    assert.equal(ran, 0);
    assert.ok(shown(agent.events).includes('tool_ended c1-1-preToolUse-1 interrupted'));
  });
});

test('other hooks that fail, are refused or cannot be started leave the agent alone', async () => {
  const broken = new WorkflowError('SPAWN_FAILED', 'gone');
  for (const end of [{ code: 2, stderr: 'no' }, { code: 1 }, { isTimedOut: true, code: null }, broken]) {
    const events: readonly HookEvent[] = ['agentSpawn', 'userPromptSubmit', 'postToolUse', 'stop'];
    const hooks = hooksOf(Object.fromEntries(events.map((event) => [event, [hook('x')]])), { x: end });
    const agent = fakeAgent({ ...SEARCH, hooks });
    assert.equal((await agent.run())?.['text'], 'done');
    assert.equal(
      shown(agent.events).filter(
        (line) => /hook|agentSpawn|Submit|Use|stop.*error/.test(line) && line.endsWith(' error'),
      ).length,
      4,
    );
    assert.equal(JSON.stringify(agent.requests[0]?.messages[0]).includes('hook'), false);
  }
  const refused = fakeAgent({
    ...SEARCH,
    hooks: hooksOf({ agentSpawn: [hook('x')], stop: [hook('y')] }),
    permit: (kind) => (kind === 'hook' ? { decision: 'deny', reason: 'no' } : {}),
  });
  assert.equal((await refused.run())?.['text'], 'done');
});

describe('a step that is taken up again', () => {
  const all = {
    agentSpawn: [hook('spawned')],
    preToolUse: [hook('before')],
    postToolUse: [hook('after')],
    stop: [hook('over')],
  };

  test('at every place of its journal: no hook whose outcome is there runs again, and none is left out', async () => {
    const whole = fakeAgent({ ...SEARCH, hooks: hooksOf(all, { spawned: { stdout: 'branch: main' } }) });
    await whole.run();
    for (let length = 1; length <= whole.events.length; length += 1) {
      const cut = whole.events.slice(0, length);
      const journal = [...cut, ...interruptions(entries(cut), new Set(), String)];
      const known = new Set(
        journal.flatMap((event) => (event.type === 'agent.tool_ended' ? [event.call] : [])),
      );
      const hooks = hooksOf(all, { spawned: { stdout: 'branch: main' } });
      const answered = journal.filter(({ type }) => type === 'agent.answered').length;
      const agent = fakeAgent({ ...SEARCH, turns: SEARCH.turns.slice(answered), hooks, journal });
      await agent.run();
      const fresh = agent.events.slice(journal.length);
      const again = fresh.flatMap((event) =>
        event.type === 'agent.tool_called' && known.has(event.call) ? [event.call] : [],
      );
      assert.deepEqual(again, [], `cut at ${length}`);
      const names = lines(agent.events).filter((line) => line.startsWith('tool_called'));
      assert.equal(new Set(names).size, names.length, `cut at ${length}: ${names.join()}`);
      assert.ok(
        names.some((name) => name.endsWith('hook:stop')),
        `cut at ${length}`,
      );
      const isRun = agent.events.some(
        (event) => event.type === 'agent.tool_ended' && event.hook === undefined && event.outcome === 'ok',
      );
      assert.equal(
        names.some((name) => name.endsWith('hook:postToolUse')),
        isRun,
        `cut at ${length}`,
      );
    }
  });

  test('a hook that waits for a person is asked for again with its call, and then both are run once', async () => {
    const approval = { number: 1, until: 1, by: null, at: null, reason: null };
    const waits = (kind: string): Partial<Permit> => (kind === 'hook' ? { decision: 'wait', approval } : {});
    const hooks = hooksOf({ preToolUse: [hook('before')] });
    const first = fakeAgent({ ...SEARCH, hooks, permit: waits });
    await assert.rejects(first.run(), Suspended);
    assert.deepEqual(hooks.ran, []);
    const waiting = new Set(['a\0c1-1-preToolUse-1']);
    assert.deepEqual(interruptions(entries(first.events), waiting, String), []);
    const next = fakeAgent({ ...SEARCH, turns: SEARCH.turns.slice(1), hooks, journal: first.events });
    assert.equal((await next.run())?.['text'], 'done');
    assert.equal(hooks.ran.length, 1);
    const intents = lines(next.events).filter((line) => line.startsWith('tool_called'));
    assert.deepEqual(intents, ['tool_called c1-1 search', 'tool_called c1-1-preToolUse-1 hook:preToolUse']);
  });
});

describe('what is kept of hooks', () => {
  test('output is masked, cleaned and cut to what the file lets it have', async () => {
    const hooks = hooksOf(
      { agentSpawn: [hook('x', { maxOutputBytes: 40 })] },
      { x: { stdout: `geheim\u001b[31m${'y'.repeat(1000)}`, bytes: 1_000_000_000 } },
    );
    const agent = fakeAgent({ ...SEARCH, hooks, mask: (text) => text.replaceAll('geheim', '***') });
    await agent.run();
    const ended = agent.events.find((event) => event.type === 'agent.tool_ended');
    assert.ok(ended?.type === 'agent.tool_ended');
    assert.equal(ended.result, `***${'y'.repeat(27)}\n[… 963 bytes left out …]\n${'y'.repeat(10)}`);
    assert.deepEqual([ended.bytes, ended.hook], [1_000_000_000, 'agentSpawn']);
  });

  test('an output is used again within its time, on record and without a permit; a failure is not', async () => {
    let now = 0;
    const cache = new HookCache(() => now);
    const run = async (end: Partial<CommandEnd>) => {
      const hooks = hooksOf({ agentSpawn: [hook('x', { cacheTtlMs: 1000 })] }, { x: end }, cache);
      const agent = fakeAgent({ ...SEARCH, hooks });
      await agent.run();
      const called = agent.events.find((event) => event.type === 'agent.tool_called');
      const isCached = called?.type === 'agent.tool_called' && called.hook?.isCached === true;
      const asked = agent.asked.filter(({ kind }) => kind === 'hook').length;
      return [hooks.ran.length, isCached, asked, JSON.stringify(agent.requests[0]).includes('it says')];
    };
    assert.deepEqual(await run({ code: 1 }), [1, false, 1, false]);
    assert.deepEqual(await run({ stdout: 'it says' }), [1, false, 1, true]);
    now = 999;
    assert.deepEqual(await run({ stdout: 'other' }), [0, true, 0, true]);
    now = 1000;
    assert.deepEqual(await run({ stdout: 'it says' }), [1, false, 1, true]);
  });

  test('a hook before or after a call is never taken from another call', () => {
    const outputs = new HookCache(() => 0).of('agent');
    const kept = hook('x', { cacheTtlMs: 1000 });
    for (const event of ['preToolUse', 'postToolUse', 'stop'] as const) {
      outputs.keep(event, 0, kept, 'x');
      assert.equal(outputs.find(event, 0, kept), undefined);
    }
    outputs.keep('agentSpawn', 0, kept, 'x');
    assert.equal(outputs.find('agentSpawn', 0, kept), 'x');
    assert.equal(outputs.find('agentSpawn', 1, kept), undefined);
    assert.equal(new HookCache(() => 0).of('agent').find('agentSpawn', 0, kept), undefined);
  });
});

test('what the file says of hooks is read; what cannot be read is an error', () => {
  const read = (hooks: unknown) => {
    const notes = new NoteList('f');
    const found = readHooks(new Fields({ hooks } as JsonObject, '$', notes));
    return {
      found,
      notes: notes.all.map(({ severity, path, message }) => `${severity} ${path}: ${message}`),
    };
  };
  const entry = { command: 'x', matcher: 'write', timeout_ms: 5, max_output_size: 7, cache_ttl_seconds: 3 };
  assert.deepEqual(read({ preToolUse: [entry] }), {
    found: {
      preToolUse: [{ command: 'x', matcher: 'write', timeoutMs: 5, maxOutputBytes: 7, cacheTtlMs: 3000 }],
    },
    notes: [],
  });
  const large = read({
    stop: [{ command: 'x', timeout_ms: 1e9, max_output_size: 1e9, cache_ttl_seconds: 0 }],
  });
  assert.deepEqual(large.found?.stop, [
    { command: 'x', matcher: null, timeoutMs: 600_000, maxOutputBytes: 65_536, cacheTtlMs: 0 },
  ]);
  assert.deepEqual(read({}), { found: null, notes: [] });
  assert.deepEqual(read([{ name: 'x' }]).notes, [
    'warning $.hooks: is a list: this form is not read, and none of it is run',
  ]);
  assert.deepEqual(
    read({
      preToolUs: [entry],
      stop: {},
      preToolUse: ['x', {}, { command: ' ' }, { command: 'x', timeout_ms: -1 }],
    }).notes,
    [
      'warning $.hooks.preToolUs: is no event that hooks are run at; did you mean "preToolUse"?',
      'error $.hooks.stop: must be a list',
      'error $.hooks.preToolUse[0]: must be an object',
      'error $.hooks.preToolUse[1].command: must be a command line',
      'error $.hooks.preToolUse[2].command: must be a command line',
      'error $.hooks.preToolUse[3].timeout_ms: must be a number above 0, not the number -1',
    ],
  );
});

test('our own hook for Q is left out: the supervisor decides already', () => {
  const kept = (command: string): boolean => {
    const notes = new NoteList('f');
    return readHooks(new Fields({ hooks: { preToolUse: [{ command }] } }, '$', notes)) !== null;
  };
  for (const command of [
    'timeout 20 q-workflow hook --agent careful || exit 2',
    'q workflow hook',
    'q-workflow hook --environment ci --timeout 5',
  ])
    assert.equal(kept(command), false, command);
  for (const command of [
    'q-workflow hook; ./check.sh',
    'q-workflow hook $(x)',
    './q-workflow hook',
    'q-workflow hooks',
  ])
    assert.equal(kept(command), true, command);
});

test('an end means the same for every hook but the one before a call', () => {
  const end = { ...ENDED, code: 2, stderr: ' why \n', bytes: 9 };
  assert.deepEqual(hookResult('preToolUse', hook('x'), end), { outcome: 'denied', text: 'why', bytes: 9 });
  assert.deepEqual(hookResult('preToolUse', hook('x'), { ...end, stderr: '' }).text, 'it gave no reason');
  assert.deepEqual(hookResult('stop', hook('x'), end), {
    outcome: 'error',
    text: 'exit code 2: why',
    bytes: 9,
  });
});
