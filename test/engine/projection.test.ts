import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectRun, type RunView } from '../../src/engine/projection.ts';
import { Bench, parallel, retry, skill, workflow } from './support.ts';

function viewOf(bench: Bench): RunView {
  const projection = projectRun();
  for (const [index, event] of bench.journal.entries()) {
    projection.apply({ seq: index + 1, at: 100 * index, event });
  }
  return projection.view();
}

test('a row has what status prints, from events alone', () => {
  const context = { readonly: { r: 1 }, mutable: { n: 0 }, access: {} };
  const bench = new Bench(workflow([skill('a', { writes: ['n'] })], { context }));
  bench.go();
  bench.done('a', { n: 4 });
  assert.deepEqual(viewOf(bench), {
    status: 'completed',
    started_at: 0,
    ended_at: 300,
    inputs: {},
    context: { readonly: { r: 1 }, mutable: { n: 4 } },
    error: null,
    reason: 'completed',
    limits: [],
    steps: [
      {
        path: 'a',
        id: 'a',
        type: 'skill',
        status: 'completed',
        attempts: 1,
        started_at: 100,
        ended_at: 200,
        outputs: { n: 4 },
        error: null,
        approvals: [],
      },
    ],
  });
});

test('a step that waits for its next attempt is waiting, with its error and attempts so far', () => {
  const bench = new Bench(workflow([skill('a')], { default: retry({ initialDelayMs: 40_000 }) }));
  bench.go();
  bench.fail('a');
  const view = viewOf(bench);
  assert.equal(view.status, 'waiting');
  const [row] = view.steps;
  assert.deepEqual([row?.status, row?.attempts, row?.error?.code], ['waiting', 1, 'EXIT_NONZERO']);
});

test('a run that is resumed shows its steps open again and forgets what runs again', () => {
  const definition = workflow([skill('a'), parallel('g', [skill('b'), skill('c')])]);
  const bench = new Bench(definition);
  bench.go();
  bench.done('a');
  bench.fail('g/b');
  bench.resume('requested');
  const statuses = (view: RunView) => view.steps.map((row) => `${row.path} ${row.status}`);
  assert.deepEqual(statuses(viewOf(bench)), ['a completed', 'g running', 'g/b pending', 'g/c pending']);
  const again = new Bench(definition, bench.journal.slice(0, -1));
  again.resume('requested', 'a');
  assert.deepEqual(statuses(viewOf(again)), []);
});

test('what was given out does not change with later events', () => {
  const bench = new Bench(workflow([skill('a')]));
  bench.go();
  const projection = projectRun();
  for (const [index, event] of bench.journal.entries())
    projection.apply({ seq: index + 1, at: index, event });
  const before = projection.view();
  projection.apply({ seq: 9, at: 9, event: { type: 'step.cancelled', path: 'a', reason: 'halted' } });
  assert.equal(before.steps[0]?.status, 'running');
});

test('a run that was killed shows its open steps as interrupted, and open again when it is resumed', () => {
  const bench = new Bench(workflow([parallel('g', [skill('a'), skill('b')])]));
  bench.go();
  bench.done('g/a');
  const projection = projectRun();
  for (const [index, event] of bench.journal.entries())
    projection.apply({ seq: index + 1, at: index, event });
  projection.apply({
    seq: 8,
    at: 8,
    event: { type: 'run.ended', status: 'killed', reason: 'killed', error: null },
  });
  const rows = projection.view().steps.map((row) => [row.path, row.status, row.ended_at]);
  assert.deepEqual(rows, [
    ['g', 'interrupted', 8],
    ['g/a', 'completed', rows[1]?.[2]],
    ['g/b', 'interrupted', 8],
  ]);
  assert.equal(projection.row('g/b')?.status, 'interrupted');
  projection.apply({ seq: 9, at: 9, event: { type: 'run.resumed', cause: 'requested', from: null } });
  assert.deepEqual(
    projection.view().steps.map((row) => row.status),
    ['running', 'completed', 'running'],
  );
});
