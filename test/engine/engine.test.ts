import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../src/engine/events.ts';
import {
  Bench,
  conditional,
  custom,
  fault,
  HALT,
  loop,
  parallel,
  ROLLBACK,
  ref,
  retry,
  SKIP,
  skill,
  snapshot,
  workflow,
} from './support.ts';

test('a sequence runs one step after the other and ends completed', () => {
  const bench = new Bench(workflow([skill('a'), skill('b', { inputs: { x: ref('a.value') } })]));
  assert.deepEqual(bench.go(), ['a#1']);
  assert.deepEqual(bench.done('a', { value: 7 }), ['b#1']);
  assert.deepEqual(bench.journal.at(-1), {
    type: 'step.started',
    path: 'b',
    stepType: 'skill',
    attempt: 1,
    inputs: { x: 7 },
  });
  bench.done('b', { ok: true });
  assert.deepEqual(bench.journal.slice(-2), [
    { type: 'step.completed', path: 'b', attempt: 1, result: { ok: true }, writes: {} },
    { type: 'run.ended', status: 'completed', reason: 'completed', error: null },
  ]);
  assert.deepEqual(bench.advance(), []);
});

test('an effect-free step is one event that tells its type', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.advance();
  const events = bench.settle({ path: 'a', attempt: 1, kind: 'completed', result: {} });
  assert.deepEqual(events, [
    { type: 'step.completed', path: 'a', stepType: 'skill', attempt: 1, result: {}, writes: {} },
  ]);
});

test('a command is given once by one engine and again after a replay', () => {
  const definition = workflow([skill('a')]);
  const bench = new Bench(definition);
  bench.advance();
  bench.advance();
  assert.deepEqual(bench.commands, [
    { type: 'run', path: 'a', step: definition.steps[0], attempt: 1, inputs: {}, key: 'a', error: null },
  ]);
  assert.deepEqual(bench.crash(definition).go(), ['a#1']);
});

test('a failure halts the run and cancels what is in flight', () => {
  const bench = new Bench(workflow([skill('a', { isAsync: true }), skill('b')]));
  assert.deepEqual(bench.go(), ['a#1', 'b#1']);
  bench.fail('b');
  assert.deepEqual(bench.story.slice(-4), [
    'attempt.failed b#1 EXIT_NONZERO',
    'step.failed b EXIT_NONZERO of b',
    'step.cancelled a halted',
    'run.ended failed',
  ]);
  assert.deepEqual(bench.commands, [{ type: 'cancel', path: 'a', attempt: 1 }]);
  assert.deepEqual(bench.engine.state.error, { code: 'EXIT_NONZERO', message: 'boom', step: 'b' });
  assert.deepEqual(bench.settle({ path: 'a', attempt: 1, kind: 'completed', result: {} }), []);
});

test('the flow goes on beside an async step until a step names it', () => {
  const steps = [skill('a', { isAsync: true }), skill('b'), skill('c', { inputs: { x: ref('a.v') } })];
  const bench = new Bench(workflow(steps));
  assert.deepEqual(bench.go(), ['a#1', 'b#1']);
  assert.deepEqual(bench.done('b'), []);
  assert.deepEqual(bench.done('a', { v: 1 }), ['c#1']);
});

test('a condition and a step deep inside wait for an async step that they name', () => {
  const bench = new Bench(
    workflow([
      skill('a', { isAsync: true }),
      parallel('g', [
        conditional('c', 'a.v == 1', { then: [skill('x')] }),
        skill('y', { inputs: { v: ref('a.v') } }),
      ]),
    ]),
  );
  assert.deepEqual(bench.go(), ['a#1']);
  assert.deepEqual(bench.done('a', { v: 1 }), ['g/y#1', 'g/c/x#1'].sort());
});

test('a step inside a group that runs beside the flow is waited for alone', () => {
  const group = parallel('g', [skill('a'), skill('slow')], { waitFor: 'none' });
  const bench = new Bench(workflow([group, skill('b', { inputs: { v: ref('a.v') } })]));
  assert.deepEqual(bench.go(), ['g/a#1', 'g/slow#1']);
  assert.deepEqual(bench.done('g/a', { v: 1 }), ['b#1']);
});

test('a step that comes up later inside a group beside the flow is waited for alone', () => {
  const branch = conditional('c', 'true', { then: [skill('x'), skill('a'), skill('slow')] });
  const group = parallel('g', [branch], { waitFor: 'none' });
  const bench = new Bench(workflow([group, skill('b', { inputs: { v: ref('a.v') } })]));
  assert.deepEqual(bench.go(), ['g/c/x#1']);
  assert.deepEqual(bench.done('g/c/x'), ['g/c/a#1']);
  assert.deepEqual(bench.done('g/c/a', { v: 1 }), ['g/c/slow#1', 'b#1']);
});

test('a step in the branch not taken of a group beside the flow is waited for no longer than its skip', () => {
  const branch = conditional('c', 'false', { then: [skill('a')], else: [skill('slow')] });
  const group = parallel('g', [skill('first'), branch], { waitFor: 'none' });
  const bench = new Bench(workflow([group, skill('b', { inputs: { v: ref('a.v') } })]));
  assert.deepEqual(bench.go(), ['g/first#1', 'g/c/slow#1', 'b#1']);
});

test('an id inside a loop beside the flow means its last turn, so the whole loop is waited for', () => {
  const group = parallel('g', [loop('l', 'iteration < 2', [skill('a')])], { waitFor: 'none' });
  const definition = workflow([group, skill('c'), skill('b', { inputs: { v: ref('a.v') } })]);
  const bench = new Bench(definition);
  assert.deepEqual(bench.go(), ['g/l[0]/a#1', 'c#1']);
  assert.deepEqual(bench.done('c'), []);
  assert.deepEqual(bench.done('g/l[0]/a', { v: 0 }), ['g/l[1]/a#1']);
  assert.deepEqual(bench.done('g/l[1]/a', { v: 1 }), ['b#1']);
  const started = bench.journal.at(-1);
  assert.deepEqual(started?.type === 'step.started' ? started.inputs : null, { v: 1 });
});

test('an id inside a group that may be retried is waited for with the group', () => {
  const inner = parallel('g', [skill('a'), skill('x')]);
  const definition = workflow(
    [parallel('n', [inner], { waitFor: 'none' }), skill('c'), skill('b', { inputs: { v: ref('a.v') } })],
    { perStep: { g: retry({ initialDelayMs: 0 }) } },
  );
  const bench = new Bench(definition);
  bench.go();
  bench.done('c');
  assert.deepEqual(bench.done('n/g/a', { v: 1 }), []);
  assert.deepEqual(bench.fail('n/g/x'), ['n/g~2/a#1', 'n/g~2/x#1']);
  assert.deepEqual(bench.done('n/g~2/a', { v: 2 }), []);
  assert.deepEqual(bench.done('n/g~2/x'), ['b#1']);
});

test('the end of the run waits for async steps', () => {
  const bench = new Bench(workflow([parallel('g', [skill('a')], { waitFor: 'none' }), skill('b')]));
  assert.deepEqual(bench.go(), ['g/a#1', 'b#1']);
  bench.done('b');
  assert.equal(bench.engine.state.status, 'running');
  bench.done('g/a');
  assert.equal(bench.engine.state.status, 'completed');
});

test('a failed branch of all cancels its siblings and fails the group with its error', () => {
  const bench = new Bench(workflow([parallel('g', [skill('a'), skill('b')])], { slots: 1 }));
  assert.deepEqual(bench.go(), ['g/a#1']);
  bench.fail('g/a');
  assert.deepEqual(bench.story.slice(-5), [
    'attempt.failed g/a#1 EXIT_NONZERO',
    'step.failed g/a EXIT_NONZERO of g/a',
    'step.cancelled g/b sibling_failed',
    'step.failed g EXIT_NONZERO of g/a',
    'run.ended failed',
  ]);
});

test('the first success of any wins, its losers are cancelled, a failure is none', () => {
  const steps = [parallel('g', [skill('a'), skill('b'), skill('c')], { waitFor: 'any' }), skill('z')];
  const bench = new Bench(workflow(steps));
  bench.go();
  bench.fail('g/a');
  assert.equal(bench.engine.state.status, 'running');
  assert.deepEqual(bench.done('g/b', { v: 1 }), ['z#1']);
  assert.deepEqual(bench.story.slice(-4), [
    'step.completed g/b',
    'step.cancelled g/c branch_lost',
    'step.completed g',
    'step.started z#1',
  ]);
  assert.deepEqual(bench.engine.state.nodes.get('g')?.result, { a: null, b: { v: 1 }, c: null });
});

test('any fails with BRANCH_FAILED when no branch succeeded, also when all were skipped', () => {
  const group = parallel('g', [skill('a'), skill('b')], { waitFor: 'any' });
  for (const policy of [HALT, SKIP]) {
    const bench = new Bench(workflow([group], { perStep: { a: policy, b: policy } }));
    bench.go();
    bench.fail('g/a');
    bench.fail('g/b');
    assert.equal(bench.engine.state.status, 'failed');
    assert.equal(bench.engine.state.error?.code, 'BRANCH_FAILED');
    assert.equal(bench.engine.state.error?.step, 'g');
  }
});

test('a conditional skips the branch that is not taken, and ids in it mean null', () => {
  const bench = new Bench(
    workflow([
      conditional('c', 'true', { then: [skill('a')], else: [skill('b')] }),
      skill('z', { inputs: { b: ref('b.deep.field'), last: ref('c.last.v') } }),
    ]),
  );
  assert.deepEqual(bench.go(), ['c/a#1']);
  bench.done('c/a', { v: 5 });
  assert.deepEqual(bench.story.slice(1, 4), [
    'step.started c#1',
    'branch.chosen c then',
    'step.skipped c/b branch',
  ]);
  assert.deepEqual(bench.journal.at(-1), {
    type: 'step.started',
    path: 'z',
    stepType: 'skill',
    attempt: 1,
    inputs: { b: null, last: 5 },
  });
});

test('a loop tests before each turn and its inner ids mean the last turn afterwards', () => {
  const bench = new Bench(
    workflow([
      loop('l', 'iteration < 2', [
        skill('a'),
        skill('b', { inputs: { a: ref('a.v'), i: ref('iteration') } }),
      ]),
      skill('z', { inputs: { a: ref('a.v') } }),
    ]),
  );
  assert.deepEqual(bench.go(), ['l[0]/a#1']);
  bench.done('l[0]/a', { v: 10 });
  assert.deepEqual(bench.done('l[0]/b'), ['l[1]/a#1']);
  bench.done('l[1]/a', { v: 11 });
  const started = bench.journal.at(-1);
  assert.deepEqual(started?.type === 'step.started' ? started.inputs : null, { a: 11, i: 1 });
  bench.done('l[1]/b');
  const last = bench.journal.at(-1);
  assert.deepEqual(last?.type === 'step.started' ? last.inputs : null, { a: 11 });
  assert.deepEqual(bench.engine.state.nodes.get('l')?.result, {
    iterations: 2,
    last: { a: { v: 11 }, b: {} },
  });
});

test('a loop that reaches its limit fails, or goes on when on_limit says so', () => {
  for (const onLimit of ['fail', 'continue'] as const) {
    const bench = new Bench(workflow([loop('l', 'true', [skill('a')], { maxIterations: 2, onLimit })]));
    bench.go();
    bench.done('l[0]/a');
    bench.done('l[1]/a');
    const { status, error } = bench.engine.state;
    assert.equal(status, onLimit === 'fail' ? 'failed' : 'completed');
    assert.equal(error?.code, onLimit === 'fail' ? 'LOOP_LIMIT' : undefined);
  }
});

test('set and writes change the context in order, each expression seeing the ones before', () => {
  const step = skill('a', { writes: ['n'], set: { m: 'n + a.n', k: 'm * 2' } });
  const context = { readonly: {}, mutable: { n: 1, m: 0, k: 0 }, access: {} };
  const bench = new Bench(workflow([step], { context }));
  bench.go();
  bench.done('a', { n: 5 });
  const completed = bench.journal.at(-2);
  assert.deepEqual(completed?.type === 'step.completed' ? completed.writes : null, { n: 5, m: 10, k: 20 });
  assert.deepEqual(bench.engine.state.context.mutable, { n: 5, m: 10, k: 20 });
});

test('failures at a step itself carry their codes', () => {
  const context = { readonly: {}, mutable: { n: 1 }, access: { n: ['other'] } };
  const codes = [
    [skill('a', { writes: ['n'] }), 'CONTEXT_WRITE_DENIED'],
    [skill('a', { outputs: ['x'] }), 'OUTPUT_MISSING'],
    [skill('a', { set: { m: 'nonsense(' } }), 'EXPRESSION_FAILED'],
  ] as const;
  for (const [step, code] of codes) {
    const bench = new Bench(workflow([step], { context }));
    bench.go();
    bench.done('a', { n: 1 });
    assert.equal(bench.engine.state.error?.code, code);
  }
  const bench = new Bench(workflow([skill('a'), skill('b', { inputs: { x: ref('a.nope') } })]));
  bench.go();
  bench.done('a', { v: 1 });
  assert.deepEqual(bench.story.slice(-3), [
    'attempt.failed b#1 REFERENCE_MISSING',
    'step.failed b REFERENCE_MISSING of b',
    'run.ended failed',
  ]);
});

test('a retry waits, counts attempts and then falls to its last strategy', () => {
  const policy = retry({ maxAttempts: 3, initialDelayMs: 1000, factor: 2 }, SKIP);
  const bench = new Bench(workflow([skill('a')], { default: policy }));
  bench.go();
  assert.deepEqual(bench.fail('a'), []);
  assert.deepEqual(bench.commands, [{ type: 'wake', at: 1000 }]);
  bench.now = 1000;
  assert.deepEqual(bench.go(), ['a#2']);
  bench.fail('a');
  assert.equal(bench.story.at(-1), 'step.retrying a#3 in 2000');
  bench.now = 3000;
  assert.deepEqual(bench.go(), ['a#3']);
  bench.fail('a');
  assert.deepEqual(bench.story.slice(-3), [
    'attempt.failed a#3 EXIT_NONZERO',
    'step.skipped a error',
    'run.ended completed',
  ]);
});

test('a code that retry_on does not list is not retried', () => {
  const bench = new Bench(workflow([skill('a')], { default: retry({ retryOn: ['STEP_TIMEOUT'] }) }));
  bench.go();
  bench.fail('a');
  assert.equal(bench.engine.state.status, 'failed');
});

test('what was refused is not tried again, unless retry_on names it', () => {
  for (const code of ['POLICY_DENIED', 'APPROVAL_DENIED', 'KILL_SWITCH'] as const) {
    const bench = new Bench(workflow([skill('a')], { default: retry({ initialDelayMs: 0 }) }));
    bench.go();
    bench.fail('a', fault(code));
    assert.equal(bench.engine.state.status, 'failed', code);
    const asking = new Bench(
      workflow([skill('a')], { default: retry({ initialDelayMs: 0, retryOn: [code] }) }),
    );
    asking.go();
    asking.fail('a', fault(code));
    assert.equal(asking.engine.state.status, 'running', code);
  }
});

test('a retried group starts again under its second attempt', () => {
  const group = parallel('g', [skill('a'), skill('b')]);
  const bench = new Bench(workflow([group], { perStep: { g: retry({ initialDelayMs: 0 }) } }));
  assert.deepEqual(bench.go(), ['g/a#1', 'g/b#1']);
  assert.deepEqual(bench.fail('g/a'), ['g~2/a#1', 'g~2/b#1']);
  assert.deepEqual(bench.story.slice(-8), [
    'attempt.failed g/a#1 EXIT_NONZERO',
    'step.failed g/a EXIT_NONZERO of g/a',
    'attempt.failed g#1 EXIT_NONZERO',
    'step.cancelled g/b group_retry',
    'step.retrying g#2 in 0',
    'step.started g#2',
    'step.started g~2/a#1',
    'step.started g~2/b#1',
  ]);
  bench.done('g~2/a', { v: 2 });
  bench.done('g~2/b');
  assert.deepEqual(bench.engine.state.nodes.get('g')?.result, { a: { v: 2 }, b: {} });
});

test('the default strategy meets a failure once, where it arose', () => {
  const bench = new Bench(
    workflow([parallel('g', [skill('a')])], { default: retry({ initialDelayMs: 0, maxAttempts: 2 }) }),
  );
  bench.go();
  assert.deepEqual(bench.fail('g/a'), ['g/a#2']);
  bench.fail('g/a');
  assert.deepEqual(bench.story.slice(-3), [
    'step.failed g/a EXIT_NONZERO of g/a',
    'step.failed g EXIT_NONZERO of g/a',
    'run.ended failed',
  ]);
});

test('a handler sees the error, and its result stands for that of the step', () => {
  const handler = skill('h', { inputs: { code: ref('error.code'), n: ref('error.attempts') } });
  const steps = [skill('a'), skill('z', { inputs: { v: ref('a.v') } })];
  const bench = new Bench(workflow(steps, { perStep: { a: custom(handler) } }));
  bench.go();
  assert.deepEqual(bench.fail('a'), ['a!h#1']);
  const run = bench.commands.find((command) => command.type === 'run');
  assert.deepEqual(run?.inputs, { code: 'EXIT_NONZERO', n: 1 });
  assert.deepEqual(run?.error, { code: 'EXIT_NONZERO', message: 'boom', step: 'a', attempts: 1 });
  assert.deepEqual(bench.done('a!h', { v: 3 }), ['z#1']);
  assert.deepEqual(bench.journal.at(-2), { type: 'step.handled', path: 'a', handler: 'h', result: { v: 3 } });
});

test('a handler that fails gives HANDLER_FAILED with both errors, and is not its own handler', () => {
  const policy = custom(skill('h'));
  const bench = new Bench(workflow([skill('a')], { default: policy, perStep: { h: policy } }));
  bench.go();
  bench.fail('a');
  bench.fail('a!h', fault('STEP_OOM', 'oom'));
  const { error } = bench.engine.state;
  assert.equal(error?.code, 'HANDLER_FAILED');
  assert.equal(error?.message, 'boom; its handler h failed too: oom');
  assert.deepEqual(error?.details, {
    error: { code: 'EXIT_NONZERO', message: 'boom', step: 'a' },
    handler: { code: 'STEP_OOM', message: 'oom', step: 'a!h' },
  });
});

test('a rollback undoes turns and steps in reverse start order, then runs its own steps', () => {
  const undo = (id: string) => ({ id, step: skill(id, { inputs: { v: ref('a.v') } }) });
  const notify = { id: 'notify', step: skill('notify') };
  const bench = new Bench(
    workflow(
      [
        loop('l', 'iteration < 2', [skill('a', { undo: undo('ua') })]),
        skill('s', { isAsync: true }),
        skill('b'),
      ],
      {
        perStep: { b: ROLLBACK },
        rollback: { isEnabled: true, steps: [notify] },
      },
    ),
  );
  bench.go();
  bench.done('l[0]/a', { v: 0 });
  bench.done('l[1]/a', { v: 1 });
  assert.deepEqual(bench.fail('b'), ['l[1]/a!undo#1']);
  assert.deepEqual(bench.story.slice(-5), [
    'attempt.failed b#1 EXIT_NONZERO',
    'rollback.started',
    'step.failed b EXIT_NONZERO of b',
    'step.cancelled s rollback',
    'step.started l[1]/a!undo#1',
  ]);
  const started = bench.journal.at(-1);
  assert.deepEqual(started?.type === 'step.started' ? started.inputs : null, { v: 1 });
  assert.deepEqual(bench.fail('l[1]/a!undo'), ['l[0]/a!undo#1']);
  assert.deepEqual(bench.done('l[0]/a!undo'), ['!rollback/notify#1']);
  bench.done('!rollback/notify');
  assert.equal(bench.engine.state.status, 'rollback_failed');
  assert.equal(bench.engine.state.reason, 'rollback_failed: 1 of 3 failed: l[1]/a!undo');
});

test('a rollback with nothing to undo ends rolled_back, and halts when it is switched off', () => {
  for (const isEnabled of [true, false]) {
    const bench = new Bench(
      workflow([skill('a')], { default: ROLLBACK, rollback: { isEnabled, steps: [] } }),
    );
    bench.go();
    bench.fail('a');
    assert.equal(bench.engine.state.status, isEnabled ? 'rolled_back' : 'failed');
  }
});

test('each kind of stop ends the run in its own way', () => {
  const ends = {
    stop: 'stopped',
    time_limit: 'timed_out',
    kill_switch: 'killed',
    supervisor_lost: 'failed',
  } as const;
  for (const kind of ['stop', 'time_limit', 'kill_switch', 'supervisor_lost'] as const) {
    const bench = new Bench(workflow([parallel('g', [skill('a')])]));
    bench.go();
    bench.commands = [];
    bench.stop(kind);
    assert.deepEqual(bench.commands, [{ type: 'cancel', path: 'g/a', attempt: 1 }]);
    bench.advance();
    assert.deepEqual(bench.story.slice(-4), [
      'run.stopping',
      'step.cancelled g/a stopping',
      'step.cancelled g stopping',
      `run.ended ${ends[kind]}`,
    ]);
    assert.throws(() => bench.stop('stop'), {
      name: 'IllegalTransition',
      message: `run: no way from ${ends[kind]} to stopping`,
    });
  }
});

test('a long retry delay makes the run wait, and it goes on afterwards', () => {
  const definition = workflow([skill('a')], { default: retry({ initialDelayMs: 31_000 }) });
  const bench = new Bench(definition);
  bench.go();
  bench.fail('a');
  assert.deepEqual(bench.journal.at(-1), { type: 'run.waiting', until: 31_000 });
  assert.deepEqual(bench.commands, [{ type: 'wake', at: 31_000 }]);
  assert.deepEqual(bench.advance(), []);
  const next = bench.crash(definition);
  next.now = 31_000;
  next.resume('wait_over');
  assert.deepEqual(next.go(), ['a#2']);
});

test('an attempt in flight at a crash runs again, fails or is skipped as on_resume says', () => {
  for (const onResume of ['rerun', 'fail', 'skip'] as const) {
    const definition = workflow([skill('a', { onResume })]);
    const bench = new Bench(definition);
    bench.go();
    const next = bench.crash(definition);
    const events = next.resume('crash').map((event) => event.type);
    next.go();
    const { status, error } = next.engine.state;
    if (onResume === 'rerun') {
      assert.deepEqual(next.story.slice(-2), ['step.interrupted a', 'step.started a#1']);
    } else if (onResume === 'fail') {
      assert.deepEqual(events, ['run.resumed', 'step.interrupted', 'attempt.failed']);
      assert.deepEqual([status, error?.code], ['failed', 'INTERRUPTED']);
    } else {
      assert.deepEqual(events, ['run.resumed', 'step.interrupted', 'step.skipped']);
      assert.equal(status, 'completed');
    }
  }
});

test('a failed run that is resumed runs what failed again and keeps what completed', () => {
  const definition = workflow([skill('a'), parallel('g', [skill('b'), skill('c'), skill('d')]), skill('z')]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('a');
  bench.done('g/b');
  bench.fail('g/c');
  const next = bench.crash(definition);
  const [resumed] = next.resume('requested');
  assert.deepEqual(resumed, {
    type: 'run.resumed',
    cause: 'requested',
    from: null,
    forgotten: [],
    reopened: ['g', 'g/c', 'g/d'],
  });
  assert.deepEqual(next.go(), ['g/c#2', 'g/d#2']);
  next.done('g/c');
  assert.deepEqual(next.done('g/d'), ['z#1']);
});

test('a run that the supervisor ended while it waited for a retry goes on at once, with fresh retries', () => {
  const policy = retry({ initialDelayMs: 100_000, maxDelayMs: 100_000, maxAttempts: 2 });
  const definition = workflow([skill('a')], { perStep: { a: policy } });
  const bench = new Bench(definition);
  bench.go();
  assert.deepEqual(bench.fail('a'), []);
  assert.equal(bench.engine.state.status, 'waiting');
  const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'r', error: null };
  const again = new Bench(definition, [...bench.journal, ended]);
  again.resume('requested');
  assert.deepEqual(again.go(), ['a#2']);
  again.fail('a');
  assert.equal(again.engine.state.nodes.get('a')?.status, 'retrying');
});

test('a group that was ended or stopped while it waited for its retry begins that, and nothing in the attempt before', () => {
  const policy = retry({ initialDelayMs: 100_000, maxDelayMs: 100_000, maxAttempts: 2 });
  const definition = workflow([parallel('g', [skill('a'), skill('b')])], { perStep: { g: policy } });
  const bench = new Bench(definition);
  bench.go();
  bench.done('g/a');
  bench.fail('g/b');
  assert.equal(bench.engine.state.status, 'waiting');
  const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'r', error: null };
  const lost = new Bench(definition, [...bench.journal, ended]);
  lost.resume('requested');
  assert.deepEqual(lost.go(), ['g~2/a#1', 'g~2/b#1']);
  const stopped = bench.crash(definition);
  stopped.stop('stop');
  stopped.advance();
  stopped.resume('requested');
  assert.deepEqual(stopped.go(), ['g~2/a#1', 'g~2/b#1']);
  const replayed = stopped.crash(definition);
  assert.deepEqual(snapshot(replayed.engine.state), snapshot(stopped.engine.state));
});

test('a loop that was stopped while it waited for its retry begins with its first turn', () => {
  const policy = retry({ initialDelayMs: 1000, maxAttempts: 2 });
  const definition = workflow([loop('l', 'true', [skill('a')], { maxIterations: 2 })], {
    perStep: { l: policy },
  });
  const bench = new Bench(definition);
  bench.go();
  bench.done('l[0]/a');
  bench.done('l[1]/a');
  bench.stop('stop');
  bench.advance();
  assert.throws(() => bench.resume('requested', 'l[1]/a'), {
    code: 'STEP_NOT_FOUND',
    message: 'l[1]/a belongs to an attempt of l that was given up.',
  });
  bench.resume('requested');
  assert.deepEqual(bench.go(), ['l~2[0]/a#1']);
});

test('a group whose handler waited when the run was ended goes on with the handler alone', () => {
  const wait = retry({ initialDelayMs: 100_000, maxDelayMs: 100_000, maxAttempts: 2 });
  const definition = workflow([parallel('g', [skill('a'), skill('b')])], {
    perStep: { g: custom(skill('h')), h: wait },
  });
  const bench = new Bench(definition);
  bench.go();
  bench.done('g/a');
  bench.fail('g/b');
  bench.fail('g!h');
  const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'r', error: null };
  const again = new Bench(definition, [...bench.journal, ended]);
  again.resume('requested');
  assert.deepEqual(again.go(), ['g!h#2']);
});

test('resume from a step forgets it and all after it, in its turn and around', () => {
  const definition = workflow([skill('a'), loop('l', 'iteration < 3', [skill('b'), skill('c')]), skill('z')]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('a');
  for (const turn of [0, 1, 2]) {
    bench.done(`l[${turn}]/b`);
    bench.done(`l[${turn}]/c`);
  }
  bench.fail('z');
  const next = bench.crash(definition);
  next.resume('requested', 'l[1]/c');
  assert.deepEqual(next.go(), ['l[1]/c#1']);
  assert.deepEqual(next.done('l[1]/c'), ['l[2]/b#1']);
  next.done('l[2]/b');
  assert.deepEqual(next.done('l[2]/c'), ['z#1']);
  next.done('z');
  assert.equal(next.engine.state.status, 'completed');
});

test('resume from a step of the branch that was not taken is refused, and forgets nothing of the other', () => {
  const definition = workflow([
    conditional('c', 'true', {
      then: [skill('t1'), skill('t2')],
      else: [skill('f'), loop('fl', 'true', [skill('fx')])],
    }),
  ]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('c/t1');
  bench.fail('c/t2');
  const next = bench.crash(definition);
  for (const from of ['c/f', 'c/fl'])
    assert.throws(() => next.resume('requested', from), {
      code: 'STEP_NOT_FOUND',
      message: `${from} is in the branch of c that was not taken.`,
      hint: 'Resume from c to have its condition decided anew.',
    });
  next.resume('requested', 'c/t2');
  assert.deepEqual(next.go(), ['c/t2#1']);
});

test('a run that was ended before it began begins when it is opened again, and only once', () => {
  const definition = workflow([skill('a')]);
  const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'stopped by x', error: null };
  const started: RunEvent = {
    type: 'run.started',
    inputs: { x: 1 },
    context: { readonly: {}, mutable: { n: 2 } },
  };
  const bench = new Bench(definition, [ended, ended, started]);
  const { status, reason, inputs, context } = bench.engine.state;
  assert.deepEqual([status, reason, inputs, context.mutable], ['running', null, { x: 1 }, { n: 2 }]);
  assert.deepEqual(bench.go(), ['a#1']);
  assert.throws(() => new Bench(definition, [started, ended, started]), {
    name: 'IllegalTransition',
    message: 'run: no way from stopped to running',
  });
});

test('a run that was opened again and ended by the supervisor before its process took it up can be resumed', () => {
  const definition = workflow([skill('a'), skill('b')]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('a');
  bench.fail('b');
  const stopped: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'stopped by x', error: null };
  const again = new Bench(definition, [...bench.journal, stopped]);
  assert.deepEqual(
    [again.engine.state.status, again.engine.state.reason, again.engine.state.error],
    ['stopped', 'stopped by x', null],
  );
  again.resume('requested');
  assert.deepEqual(again.go(), ['b#2']);
  again.done('b');
  assert.equal(again.engine.state.status, 'completed');
  assert.throws(() => new Bench(definition, [...again.journal, stopped]), {
    message: 'run: no way from completed to stopped',
  });
});

test('a run that ended well or was rolled back cannot be resumed, nor from a step that never ran', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  bench.done('a');
  assert.throws(() => bench.resume('requested'), {
    name: 'IllegalTransition',
    message: 'run: no way from completed to running',
  });
  const failed = new Bench(workflow([skill('a'), skill('b')]));
  failed.go();
  failed.fail('a');
  assert.throws(() => failed.resume('requested', 'b'), { code: 'STEP_NOT_FOUND' });
});

test('a run stopped while it rolls back goes on with the rollback when resumed', () => {
  const definition = workflow([skill('a', { undo: { id: 'u', step: skill('u') } }), skill('b')], {
    default: ROLLBACK,
  });
  const bench = new Bench(definition);
  bench.go();
  bench.done('a');
  assert.deepEqual(bench.fail('b'), ['a!undo#1']);
  bench.stop('stop');
  bench.advance();
  assert.equal(bench.engine.state.reason, 'stop: by test, during rollback; undone: nothing');
  const next = bench.crash(definition);
  next.resume('requested');
  assert.deepEqual(next.go(), ['a!undo#2']);
  next.done('a!undo');
  assert.equal(next.engine.state.status, 'rolled_back');
});

test('a move that the tables do not allow names both states', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  bench.done('a');
  const again = () => bench.engine.apply({ type: 'step.interrupted', path: 'a', attempt: 1 });
  assert.throws(again, {
    name: 'IllegalTransition',
    subject: 'a',
    from: 'completed',
    to: 'interrupted',
  });
});

/** CPU time of this thread: the machine may be busy with other things. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1000;
}

test('ten thousand effect-free steps in a sequence take less than a second and a half', () => {
  const steps = Array.from({ length: 10_000 }, (_, index) => skill(`s${index}`));
  const bench = new Bench(workflow(steps));
  const began = process.threadCpuUsage();
  for (let index = 0; index < steps.length; index += 1) {
    bench.advance();
    bench.settle({ path: `s${index}`, attempt: 1, kind: 'completed', result: {} });
  }
  bench.advance();
  const tookMs = cpuMs(began);
  assert.equal(bench.engine.state.status, 'completed');
  assert.ok(tookMs < 1500, `${tookMs} ms`);
});

test('a hundred levels of nesting are no deeper than one', () => {
  let step = parallel('p', [skill('leaf')]);
  for (let depth = 0; depth < 100; depth += 1) step = parallel(`p${depth}`, [step]);
  const bench = new Bench(workflow([step]));
  const [started = ''] = bench.go();
  assert.ok(started.endsWith('/p0/p/leaf#1'), started);
  bench.done(started.slice(0, -2));
  assert.equal(bench.engine.state.status, 'completed');
});

test('a run that the supervisor ended while steps were open can be resumed', () => {
  const definition = workflow([parallel('g', [skill('a'), skill('b')]), skill('z')]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('g/a');
  const next = bench.crash(definition);
  next.engine.apply({
    type: 'run.ended',
    status: 'failed',
    reason: 'crash_loop',
    error: fault('CRASH_LOOP'),
  });
  assert.deepEqual(
    next.resume('requested').map((event) => event.type),
    ['run.resumed', 'step.interrupted'],
  );
  assert.deepEqual(next.go(), ['g/b#1']);
  assert.deepEqual(next.done('g/b'), ['z#1']);
});

test('wide groups, long loops and their replay take time in proportion', () => {
  const branches = Array.from({ length: 3000 }, (_, index) => skill(`b${index}`));
  const turns = loop('l', 'iteration < 3000', [skill('a')], { maxIterations: 3000 });
  const definition = workflow([parallel('g', branches), turns]);
  const bench = new Bench(definition);
  const began = process.threadCpuUsage();
  let left = bench.go();
  while (left.length > 0 || bench.engine.state.status === 'running') {
    const running = left;
    left = [];
    for (const name of running) left.push(...bench.done(name.slice(0, -2)));
  }
  assert.equal(bench.engine.state.status, 'completed');
  const again = bench.crash(definition);
  assert.equal(again.engine.state.status, 'completed');
  const tookMs = cpuMs(began);
  assert.ok(tookMs < 1500, `${tookMs} ms`);
});
