import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../src/engine/events.ts';
import { Bench, parallel, retry, skill, snapshot, workflow } from './support.ts';

function suspend(bench: Bench, path: string, approvals: number[], until: number): string[] {
  bench.settle({ path, attempt: bench.attemptOf(path), kind: 'suspended', approvals, until });
  return bench.go();
}

function release(bench: Bench, approval: number): RunEvent[] {
  const { events } = bench.engine.release(approval);
  bench.journal.push(...events);
  return [...events];
}

test('a step that waits for a person holds no slot, and its run no process when nothing else is to be done', () => {
  const bench = new Bench(workflow([parallel('g', [skill('a'), skill('b')])], { slots: 1 }));
  assert.deepEqual(bench.go(), ['g/a#1']);
  assert.deepEqual(suspend(bench, 'g/a', [1], 5000), ['g/b#1']);
  assert.equal(bench.engine.state.status, 'running');
  bench.done('g/b');
  assert.equal(bench.engine.state.status, 'waiting');
  assert.deepEqual(bench.journal.at(-1), { type: 'run.waiting', until: 5000 });
});

test('a decision lets the same attempt go on, with the inputs that it began with', () => {
  const definition = workflow([skill('a')]);
  const bench = new Bench(definition);
  bench.go();
  suspend(bench, 'a', [1], 60_000);
  assert.deepEqual(
    release(bench, 1).map(({ type }) => type),
    ['run.resumed', 'step.released'],
  );
  assert.deepEqual(bench.go(), ['a#1']);
  bench.done('a');
  assert.equal(bench.engine.state.status, 'completed');
});

test('a decision about something else changes nothing, and one that comes twice counts once', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  suspend(bench, 'a', [2], 60_000);
  assert.deepEqual(release(bench, 1), []);
  assert.equal(release(bench, 2).length, 2);
  assert.deepEqual(release(bench, 2), []);
  assert.deepEqual(bench.go(), ['a#1']);
});

test('the end of its time wakes the attempt too', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  suspend(bench, 'a', [1], 10_000);
  bench.now = 9_999;
  assert.deepEqual(bench.go(), []);
  bench.now = 10_000;
  assert.deepEqual(bench.go(), ['a#1']);
});

test('one that is suspended again has the time of the new approval', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  suspend(bench, 'a', [1, 2], 50_000);
  release(bench, 1);
  assert.deepEqual(bench.go(), ['a#1']);
  suspend(bench, 'a', [2], 20_000);
  assert.deepEqual(bench.journal.at(-1), { type: 'run.waiting', until: 20_000 });
  bench.now = 20_000;
  assert.deepEqual(bench.go(), ['a#1']);
});

test('its journal brings it back, waiting or released', () => {
  const definition = workflow([parallel('g', [skill('a'), skill('b')])]);
  const bench = new Bench(definition);
  bench.go();
  suspend(bench, 'g/a', [1], 60_000);
  bench.done('g/b');
  for (const isReleased of [false, true]) {
    if (isReleased) release(bench, 1);
    const again = bench.crash(definition);
    assert.deepEqual(snapshot(again.engine.state), snapshot(bench.engine.state));
    again.resume('crash');
    assert.deepEqual(again.go(), isReleased ? ['g/a#1'] : []);
  }
});

test('whatever became of the context meanwhile, what was approved is what is done', () => {
  const input = { kind: 'ref', source: 'context.n', segments: ['context', 'n'] } as const;
  const definition = workflow(
    [parallel('g', [skill('a', { inputs: { n: input } }), skill('b', { writes: ['n'] })])],
    { context: { readonly: {}, mutable: { n: 1 }, access: {} } },
  );
  const bench = new Bench(definition);
  bench.go();
  suspend(bench, 'g/a', [1], 60_000);
  bench.done('g/b', { n: 2 });
  release(bench, 1);
  bench.go();
  const started = bench.journal.filter((event) => event.type === 'step.started' && event.path === 'g/a');
  assert.deepEqual(
    started.map((event) => event.type === 'step.started' && event.inputs),
    [{ n: 1 }, { n: 1 }],
  );
});

test('a failure beside it cancels it, and a refusal meets its retry policy', () => {
  const cancelled = new Bench(workflow([parallel('g', [skill('a'), skill('b')])]));
  cancelled.go();
  suspend(cancelled, 'g/a', [1], 60_000);
  cancelled.fail('g/b');
  assert.ok(cancelled.story.includes('step.cancelled g/a sibling_failed'), cancelled.story.join('\n'));
  assert.equal(cancelled.engine.state.status, 'failed');

  const refused = new Bench(workflow([skill('a')], { default: retry({ initialDelayMs: 1000 }) }));
  refused.go();
  suspend(refused, 'a', [1], 60_000);
  release(refused, 1);
  refused.go();
  refused.fail('a');
  refused.now = 1000;
  assert.deepEqual(refused.go(), ['a#2']);
});

test('a stop ends a run that waits', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  suspend(bench, 'a', [1], 60_000);
  bench.stop('stop');
  bench.advance();
  assert.deepEqual(bench.story.slice(-3), ['run.stopping', 'step.cancelled a stopping', 'run.ended stopped']);
});

test('a run that was ended while it waited asks anew when a person opens it again', () => {
  const definition = workflow([skill('a')]);
  const bench = new Bench(definition);
  bench.go();
  suspend(bench, 'a', [1], 60_000);
  const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'r', error: null };
  const again = new Bench(definition, [...bench.journal, ended]);
  again.resume('requested');
  assert.deepEqual(again.go(), ['a#1']);
});
