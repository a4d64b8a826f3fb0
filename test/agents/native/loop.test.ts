import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ModelFault } from '../../../src/agents/model/model.ts';
import type { RunEvent } from '../../../src/engine/events.ts';
import { calls, fakeAgent, lines, says, USAGE } from '../fake-world.ts';

const ok =
  (text = 'done') =>
  () => ({ isError: false, text });
const fault = (status: number, retryAfterMs?: number) =>
  new ModelFault(`HTTP ${status}`, {
    status,
    isRetryable: status === 429 || status >= 500,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
const counted = (count: { in?: number; out?: number }) => ({
  usage: { in: count.in, out: count.out, cached: undefined },
});

test('an answer in text is the result, with what it took', async () => {
  const agent = fakeAgent({ turns: [says('42')], rules: { outputs: ['answer'] } });
  assert.deepEqual(await agent.run(), {
    text: '42',
    iterations: 1,
    usage: { in: 100, out: 20, cached: 0, estimated: false },
    tool_calls: 0,
    answer: '42',
  });
  assert.deepEqual(lines(agent.events), ['requested 1', 'answered 1 stop']);
});

test('a call that a kill switch ended is interrupted, and the agent goes on', async () => {
  const agent = fakeAgent({
    turns: [calls(['one', {}], ['two', {}]), says('done')],
    tools: { one: ok('never told'), two: ok('whole') },
    switchedOff: (tool) => (tool === 'one' ? 'tool:one, by x: y' : null),
  });
  assert.equal((await agent.run())?.['text'], 'done');
  assert.deepEqual(
    agent.events.flatMap((event) =>
      event.type === 'agent.tool_ended' ? [[event.call, event.outcome, event.result]] : [],
    ),
    [
      ['c1-1', 'interrupted', 'ended by the kill switch tool:one, by x: y; nobody knows how far it came'],
      ['c1-2', 'ok', 'whole'],
    ],
  );
});

test('two calls in one answer are both run, each with its intent, and both results go back', async () => {
  const open = Promise.withResolvers<void>();
  let under = 0;
  const together = async () => {
    under += 1;
    if (under === 2) open.resolve();
    await open.promise;
    return { isError: false, text: 'both' };
  };
  const agent = fakeAgent({
    turns: [calls(['one', { x: 1 }], ['two', {}]), says('ok')],
    tools: { one: together, two: together },
  });
  await agent.run();
  assert.deepEqual(lines(agent.events).slice(0, 4), [
    'requested 1',
    'answered 1 tool-calls',
    'tool_called c1-1 one',
    'tool_called c1-2 two',
  ]);
  const results = agent.requests[1]?.messages.at(-1);
  assert.deepEqual(results, {
    role: 'tool',
    results: [
      { id: 'c1-1', name: 'one', text: 'both', isError: false },
      { id: 'c1-2', name: 'two', text: 'both', isError: false },
    ],
  });
});

test('a permit is asked right after its intent and before anything is sent or run', async () => {
  const agent = fakeAgent({ turns: [calls(['one', { x: 1 }]), says('ok')], tools: { one: ok() } });
  await agent.run();
  assert.deepEqual(
    agent.asked.map(({ kind, intent, after }) => [kind, intent.call, agent.events[after - 1]?.type]),
    [
      ['model', null, 'agent.requested'],
      ['tool', 'c1-1', 'agent.tool_called'],
      ['model', null, 'agent.requested'],
    ],
  );
});

test('of an answer that the provider withheld no call is run', async () => {
  const agent = fakeAgent({
    turns: [
      [
        { type: 'call', id: 'a', name: 'one', input: '{}' },
        { type: 'finish', reason: 'content-filter', isWhole: true, usage: USAGE },
      ],
    ],
    tools: { one: ok() },
  });
  await assert.rejects(agent.run(), {
    code: 'MODEL_FAILED',
    message: 'the provider of the model refused to answer (content filter)',
  });
  assert.deepEqual(lines(agent.events), ['requested 1', 'answered 1 content-filter']);
});

describe('rule 1: max_iterations counts model requests, before they are sent, and nothing starts it again', () => {
  test('what the last permitted answer asks for is not run', async () => {
    let ran = 0;
    const agent = fakeAgent({
      turns: [calls(['one', { n: 1 }]), calls(['one', { n: 2 }]), says('never')],
      tools: { one: () => ({ isError: false, text: String(++ran) }) },
      limits: { maxIterations: 2 },
    });
    await assert.rejects(agent.run(), {
      code: 'AGENT_LIMIT',
      message: "max_iterations 2: 2 used, its last answer's 1 tool calls were not run",
      details: { limit: 'max_iterations', allowed: 2, used: 2 },
    });
    assert.equal(agent.requests.length, 2);
    assert.equal(ran, 1);
  });

  test('a request whose process died counts, and the call that was open is not run again', async () => {
    const first = fakeAgent({ turns: [calls(['one', {}])], tools: { one: ok() }, permit: () => null });
    assert.equal(await first.run().catch(() => null), null);
    // Killed after the answer and the intent: neither outcome nor the next request.
    const journal: RunEvent[] = [
      ...fakeJournal(1),
      { type: 'agent.tool_called', path: 'a', iteration: 1, call: 'c1-1', tool: 'one', args: {} },
      {
        type: 'agent.tool_ended',
        path: 'a',
        call: 'c1-1',
        outcome: 'interrupted',
        result: 'interrupted',
        bytes: 11,
        hash: 'h',
      },
      ...fakeJournal(2).slice(0, 1),
    ];
    let ran = 0;
    const agent = fakeAgent({
      journal,
      turns: [says('found my way')],
      tools: { one: () => ({ isError: false, text: String(++ran) }) },
      limits: { maxIterations: 3 },
    });
    const result = await agent.run();
    assert.equal(result?.['iterations'], 3);
    assert.equal(ran, 0);
    assert.deepEqual(agent.requests[0]?.messages.at(-1), {
      role: 'tool',
      results: [{ id: 'c1-1', name: 'one', text: 'interrupted', isError: true }],
    });
    const spent = fakeAgent({ journal, turns: [says('x')], limits: { maxIterations: 2 } });
    await assert.rejects(spent.run(), { code: 'AGENT_LIMIT' });
    assert.equal(spent.requests.length, 0);
  });

  test('tries of one request are no iterations, and are bounded by themselves', async () => {
    const agent = fakeAgent({
      turns: [fault(429, 1500), fault(503), says('at last')],
      limits: { maxIterations: 1 },
    });
    assert.equal((await agent.run())?.['iterations'], 1);
    assert.deepEqual(lines(agent.events), [
      'requested 1',
      'request_failed 1.0 429 1500',
      'request_failed 1.1 503 1000',
      'answered 1 stop',
    ]);
    assert.deepEqual(agent.waits, [1500, 1000]);
    assert.equal(agent.asked.length, 3, 'each try is asked for');
    const hopeless = fakeAgent({ turns: Array.from({ length: 9 }, () => fault(500)) });
    await assert.rejects(hopeless.run(), {
      code: 'MODEL_FAILED',
      message: 'the model default (m-1) failed: HTTP 500',
    });
    assert.equal(hopeless.requests.length, 5);
    const refused = fakeAgent({ turns: [fault(401), says('x')] });
    await assert.rejects(refused.run(), { code: 'MODEL_FAILED' });
    assert.equal(refused.requests.length, 1);
  });

  test('a new attempt of the step begins a new conversation with what is left', async () => {
    const error = { code: 'MODEL_FAILED', message: 'x' } as const;
    const journal: RunEvent[] = [...fakeJournal(1), { type: 'attempt.failed', path: 'a', attempt: 1, error }];
    const agent = fakeAgent({ journal, turns: [says('new')], limits: { maxIterations: 2 } });
    assert.equal((await agent.run())?.['iterations'], 2);
    assert.equal(agent.requests[0]?.messages.length, 1);
  });
});

describe('rule 2: a turn that is not whole counts for nothing', () => {
  test('a stream without a finish, and one with an error in it, are tried again and run nothing', async () => {
    let ran = 0;
    const tool = () => ({ isError: false, text: String(++ran) });
    const cut = calls(['one', {}]).slice(0, 1);
    const broken = [
      ...cut,
      { type: 'error', fault: new ModelFault('bad chunk', { isRetryable: true, hasBegun: true }) } as const,
    ];
    const agent = fakeAgent({ turns: [cut, broken, says('whole')], tools: { one: tool } });
    assert.equal((await agent.run())?.['text'], 'whole');
    assert.equal(ran, 0);
    assert.deepEqual(lines(agent.events).slice(1, 3), [
      'request_failed 1.0 - 500',
      'request_failed 1.1 - 1000',
    ]);
  });

  test('arguments that cannot be read go back as an error and count as a failed call', async () => {
    let ran = 0;
    const agent = fakeAgent({
      turns: [
        calls(
          ['one', '{"path": "a'],
          ['one', '[1]'],
          ['one', `{"x":"${'y'.repeat(300_000)}"}`],
          ['one', '{"a":[{"b":-1e999}]}'],
          ['one', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
        ),
        says('ok'),
      ],
      tools: { one: () => ({ isError: false, text: String(++ran) }) },
    });
    await agent.run();
    assert.equal(ran, 0);
    const last = agent.requests[1]?.messages.at(-1);
    assert.ok(last?.role === 'tool');
    const [first, second, third, fourth, fifth] = last.results;
    assert.match(first?.text ?? '', /^the arguments are no JSON: /);
    assert.equal(second?.text, 'the arguments are no JSON object');
    assert.equal(third?.text, 'the arguments have 300008 bytes, at most 262144 are taken');
    const unstorable = 'the arguments are nested deeper than 64, or a number of them is too large';
    assert.deepEqual([fourth?.text, fifth?.text], [unstorable, unstorable]);
    assert.ok(last.results.every(({ isError }) => isError));
    assert.equal(agent.asked.filter(({ kind }) => kind === 'tool').length, 0);
    assert.ok(
      JSON.stringify(agent.requests[1]?.messages).length < 5000,
      'large arguments are not sent again',
    );
  });

  test('a tool that is not there is an error, one that is not allowed a denial; neither is run or asked for', async () => {
    const agent = fakeAgent({
      turns: [
        calls(['nonsense', {}], ['execute_bash', { command: 'ls' }], ['one', { wrong: true }]),
        says('ok'),
      ],
      tools: { one: ok() },
    });
    await agent.run();
    assert.deepEqual(
      lines(agent.events).filter((line) => line.startsWith('tool_ended')),
      ['tool_ended c1-1 error', 'tool_ended c1-2 denied', 'tool_ended c1-3 error'],
    );
    const last = agent.requests[1]?.messages.at(-1);
    assert.ok(last?.role === 'tool');
    assert.deepEqual(
      last.results.map(({ text }) => text),
      [
        'there is no tool nonsense; the tools of this agent are one',
        'denied: execute_bash is not allowed here; the tools of this agent are one',
        'one: wrong is no argument',
      ],
    );
  });

  test('an answer that was cut off at its length is no result', async () => {
    const agent = fakeAgent({ turns: [says('half', { reason: 'length' })] });
    await assert.rejects(agent.run(), {
      code: 'MODEL_FAILED',
      message: 'the answer of the model was cut off at its longest length',
    });
  });
});

describe('rule 3: usage that is missing is estimated', () => {
  test('and so is one that no count can be: twice of it is more than a number holds', async () => {
    const told = { in: 1e308, out: -1, cached: 1e308 };
    const agent = fakeAgent({
      turns: [
        [
          ...calls(['one', {}]).slice(0, -1),
          { type: 'finish', reason: 'tool-calls', isWhole: true, usage: told },
        ],
        says('four', { usage: told }),
      ],
      tools: { one: () => ({ isError: false, text: 'ok' }) },
    });
    const usage = (await agent.run())?.['usage'] as Record<string, unknown> | undefined;
    const { cached, estimated, ...used } = usage ?? {};
    assert.deepEqual([cached, estimated], [0, true]);
    assert.ok(
      Object.values(used).every((count) => Number(count) > 0 && Number(count) < 1000),
      JSON.stringify(used),
    );
  });

  test('it is marked and never nothing', async () => {
    const agent = fakeAgent({ turns: [says('some words', counted({}))] });
    const usage = (await agent.run())?.['usage'] as { in: number; out: number; estimated: boolean };
    assert.equal(usage.estimated, true);
    assert.equal(usage.out, 4);
    assert.ok(usage.in > 15, String(usage.in));
  });

  test('a request whose answer broke off, or whose process died, costs its estimate', async () => {
    const cut = says('half').slice(0, 1);
    const agent = fakeAgent({ turns: [cut, says('whole')] });
    const usage = (await agent.run())?.['usage'] as { in: number; estimated: boolean };
    assert.ok(usage.in > 115 && usage.estimated, JSON.stringify(usage));
    const resumed = fakeAgent({ journal: fakeJournal(1).slice(0, 1), turns: [says('whole')] });
    const lost = (await resumed.run())?.['usage'] as { in: number };
    assert.equal(lost.in, 100 + 50);
  });
});

describe('rule 4: budgets are checked before a request', () => {
  test('tokens: the answer is clamped to what is left, and a request that cannot fit is not sent', async () => {
    const agent = fakeAgent({
      turns: [calls(['one', { n: 1 }]), says('x')],
      tools: { one: ok('y'.repeat(3000)) },
      limits: { maxTokens: 1000 },
    });
    await assert.rejects(agent.run(), (error: Error) => {
      assert.match(error.message, /^max_tokens 1000: 120 used, the next request has about \d{4} more$/);
      return true;
    });
    assert.equal(agent.requests.length, 1);
    const room = agent.requests[0]?.maxOutputTokens ?? 0;
    assert.ok(room > 900 && room < 1000, String(room));
  });

  test('cost: counted with the prices that are journaled with the request', async () => {
    const price = { inputPerMillion: 1000, outputPerMillion: 5000 };
    const agent = fakeAgent({
      turns: [calls(['one', {}]), says('x')],
      tools: { one: ok() },
      limits: { maxCostUsd: 0.2 },
      spec: { price },
    });
    await assert.rejects(
      agent.run(),
      /^WorkflowError: max_cost_usd 0\.2: 0\.2 used, the next request costs about 0\.\d+ more$/,
    );
    const [requested] = agent.events;
    assert.ok(requested?.type === 'agent.requested');
    assert.deepEqual(requested.price, { input_per_million: 1000, output_per_million: 5000 });
  });

  test('max_tool_calls: an answer that asks for more than is left runs none of them', async () => {
    const agent = fakeAgent({
      turns: [calls(['one', { n: 1 }], ['one', { n: 2 }])],
      tools: { one: ok() },
      limits: { maxToolCalls: 1 },
    });
    await assert.rejects(agent.run(), {
      code: 'AGENT_LIMIT',
      message: 'max_tool_calls 1: 0 used, 2 more are asked for',
    });
    assert.deepEqual(lines(agent.events), ['requested 1', 'answered 1 tool-calls']);
  });
});

describe('rule 5: the clock runs while the agent works', () => {
  const hang = (_: unknown, signal: AbortSignal) =>
    new Promise<{ isError: boolean; text: string }>((resolve) =>
      signal.addEventListener('abort', () => resolve({ isError: false, text: 'late' }), { once: true }),
    );

  test('time that is over ends what is under way and is an error of its own', async () => {
    const agent = fakeAgent({
      turns: [calls(['one', {}]), says('x')],
      tools: { one: hang },
      limits: { maxExecutionMs: 20 },
    });
    await assert.rejects(agent.run(), {
      code: 'AGENT_LIMIT',
      message: 'max_execution_time 0.02: 0.02 used, and there is no final answer',
    });
    assert.equal(lines(agent.events).at(-1), 'tool_ended c1-1 interrupted');
    const step = fakeAgent({ turns: [calls(['one', {}])], tools: { one: hang }, timeoutMs: 20 });
    await assert.rejects(step.run(), { code: 'STEP_TIMEOUT' });
  });
});

describe('rule 6: an agent that is stuck is stopped', () => {
  test('the same call with the same result, three times running', async () => {
    const same = () => calls(['one', { b: 1, a: 2 }]);
    const agent = fakeAgent({
      turns: [same(), calls(['one', { a: 2, b: 1 }]), same(), says('x')],
      tools: { one: ok() },
    });
    await assert.rejects(agent.run(), {
      code: 'AGENT_STUCK',
      message: 'the agent is stuck: the same call gave the same result 3 times: one {"a":2,"b":1}',
    });
    assert.equal(agent.requests.length, 3);
  });

  test('two calls in turn; not when their results change', async () => {
    const turns = () => [
      calls(['one', {}]),
      calls(['two', {}]),
      calls(['one', {}]),
      calls(['two', {}]),
      says('x'),
    ];
    const agent = fakeAgent({ turns: turns(), tools: { one: ok(), two: ok() } });
    await assert.rejects(agent.run(), {
      code: 'AGENT_STUCK',
      message: 'the agent is stuck: two calls alternate with the same results: one {} and two {}',
    });
    let count = 0;
    const counting = () => ({ isError: false, text: String(++count) });
    const going = fakeAgent({ turns: turns(), tools: { one: counting, two: counting } });
    assert.equal((await going.run())?.['text'], 'x');
  });

  test('many failures in one answer are no circle yet', async () => {
    const many = Array.from({ length: 8 }, (_, n) => ['one', { n }] as const);
    const agent = fakeAgent({
      turns: [calls(...many), says('I see')],
      tools: { one: () => ({ isError: true, text: 'no' }) },
    });
    assert.equal((await agent.run())?.['text'], 'I see');
  });

  test('five denials in a row: each told to the model with its reason', async () => {
    const agent = fakeAgent({
      turns: Array.from({ length: 7 }, (_, n) => calls(['one', { n }])),
      tools: { one: ok() },
      permit: (kind) => (kind === 'tool' ? { decision: 'deny', reason: 'not today' } : {}),
    });
    await assert.rejects(agent.run(), {
      code: 'AGENT_STUCK',
      message: 'the agent is stuck: 5 tool calls in a row were denied or failed',
    });
    const last = agent.requests[1]?.messages.at(-1);
    assert.ok(last?.role === 'tool');
    assert.deepEqual(last.results, [{ id: 'c1-1', name: 'one', text: 'denied: not today', isError: true }]);
  });
});

describe('rule 7: results are cleaned and capped before they enter the prompt', () => {
  test('terminal escapes, tags and secrets are gone, also where one hides the other', async () => {
    const agent = fakeAgent({
      turns: [calls(['one', {}]), says('ok')],
      tools: { one: ok('\u001b[31mred\u001b[0m \u{e0041}tag s\u001b[1mecret') },
      mask: (text) => text.replaceAll('secret', '***'),
    });
    await agent.run();
    const last = agent.requests[1]?.messages.at(-1);
    assert.equal(last?.role === 'tool' ? last.results[0]?.text : null, 'red tag ***');
  });

  test('a long result keeps its head and its tail', async () => {
    const agent = fakeAgent({
      turns: [calls(['one', {}]), says('ok')],
      tools: { one: ok(`begin${'é'.repeat(100_000)}end`) },
    });
    await agent.run();
    const ended = agent.events.find(({ type }) => type === 'agent.tool_ended');
    assert.ok(ended?.type === 'agent.tool_ended' && typeof ended.result === 'string');
    assert.ok(Buffer.byteLength(ended.result) < 66_000);
    assert.match(ended.result, /^begin.*\n\[… \d+ bytes left out …\]\n.*end$/);
    assert.equal(ended.bytes, 200_008);
  });
});

test('what the model writes is masked before it is journaled, run and sent again', async () => {
  const ran: unknown[] = [];
  const agent = fakeAgent({
    turns: [calls(['one', { key: 'hunter2' }]), says('it is hunter2')],
    tools: { one: (call) => ({ isError: false, text: String(ran.push(call.args)) }) },
    mask: (text) => text.replaceAll('hunter2', '***'),
  });
  assert.equal((await agent.run())?.['text'], 'it is ***');
  assert.deepEqual(ran, [{ key: '***' }]);
  assert.ok(!JSON.stringify([agent.events, agent.requests]).includes('hunter2'));
});

test('an answer that is not what was asked for is mended once', async () => {
  const rules = { outputs: ['a', 'b'] };
  const agent = fakeAgent({ turns: [says('{"a":1}'), says('```json\n{"a":1,"b":2}\n```')], rules });
  const result = await agent.run();
  assert.deepEqual([result?.['a'], result?.['b'], result?.['iterations']], [1, 2, 2]);
  assert.deepEqual(agent.requests[1]?.messages.at(-1), {
    role: 'user',
    text: 'This answer cannot be used: it has no field b. Give the whole answer again, mended.',
  });
  const last = fakeAgent({ turns: [says('no')], rules, limits: { maxIterations: 1 } });
  await assert.rejects(last.run(), { code: 'OUTPUT_INVALID' });
  const hopeless = fakeAgent({ turns: [says('no'), says('no')], rules });
  await assert.rejects(hopeless.run(), {
    code: 'OUTPUT_INVALID',
    message: 'the answer of the agent cannot be used: it is no JSON object',
  });
});

test('a stop during a stream ends it without another request, one during a call with its outcome', async () => {
  const agent = fakeAgent({
    turns: [
      async function* (_, signal) {
        yield { type: 'text', delta: 'slow' };
        agent.abort.abort();
        signal.throwIfAborted();
      },
      says('never'),
    ],
  });
  assert.equal(await agent.run(), null);
  assert.equal(agent.requests.length, 1);
  assert.deepEqual(lines(agent.events), ['requested 1']);

  const calling = fakeAgent({
    turns: [calls(['one', {}], ['two', {}]), says('never')],
    tools: {
      one: () => {
        calling.abort.abort();
        return { isError: false, text: 'too late' };
      },
      two: ok(),
    },
  });
  assert.equal(await calling.run(), null);
  const kinds = lines(calling.events);
  assert.equal(
    kinds.filter((line) => line.startsWith('tool_called')).length,
    kinds.filter((line) => line.startsWith('tool_ended')).length,
  );
  assert.ok(kinds.includes('tool_ended c1-1 interrupted'));
  assert.equal(calling.requests.length, 1);
});

test('a model request that was denied by a person, or by a kill switch, is told as that', async () => {
  for (const code of ['APPROVAL_DENIED', 'KILL_SWITCH'] as const) {
    const agent = fakeAgent({ turns: [says('x')], permit: () => ({ decision: 'deny', code, reason: 'no' }) });
    await assert.rejects(agent.run(), { code });
  }
});

test('a refused model request ends the step', async () => {
  const agent = fakeAgent({ turns: [says('x')], permit: () => ({ decision: 'deny', reason: 'no models' }) });
  await assert.rejects(agent.run(), {
    code: 'POLICY_DENIED',
    message: 'a model request was refused: no models',
  });
  assert.equal(agent.requests.length, 0);
});

/** Request and answer of one iteration that called `one`. */
function fakeJournal(iteration: number): RunEvent[] {
  return [
    {
      type: 'agent.requested',
      path: 'a',
      attempt: 1,
      iteration,
      model: { name: 'default', id: 'm-1' },
      estimate: { in: 50, out: 0 },
    },
    {
      type: 'agent.answered',
      path: 'a',
      iteration,
      message: { text: '', calls: [{ call: `c${iteration}-1`, name: 'one', args: {} }] },
      usage: { in: 10, out: 1, cached: 0, estimated: false },
      finish: 'tool-calls',
    },
  ];
}
