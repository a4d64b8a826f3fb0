/** What a run does that goes on with steps put before those that it has begun. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Workflow } from '../../src/definition/workflow.ts';
import { Bench, conditional, loop, parallel, skill, workflow } from './support.ts';

const abc = [skill('a'), skill('b'), skill('c')];
const fixed = [skill('a'), skill('fix'), skill('b'), skill('c')];

/** Runs with `before` until the step failed, and goes on with `after` from there. */
function goOn(before: Workflow, failing: string, after: Workflow): Bench {
  const bench = new Bench(before);
  for (let started = bench.go(); started.length > 0; started = bench.go())
    for (const each of started) {
      const [path = '', attempt = '1'] = each.split('#');
      const end = path === failing ? 'failed' : 'completed';
      const error = { code: 'EXIT_NONZERO', message: 'boom' } as const;
      bench.settle({ path, attempt: Number(attempt), kind: end, result: {}, error });
    }
  const next = bench.crash(after);
  next.resume('requested');
  return next;
}

/** What starts together, round after round, to the end. */
function rounds(bench: Bench): string[][] {
  const found: string[][] = [];
  for (let started = bench.go(); started.length > 0; started = bench.go()) {
    found.push(started);
    for (const each of started) {
      const [path = '', attempt = '1'] = each.split('#');
      bench.settle({ path, attempt: Number(attempt), kind: 'completed', result: {} });
    }
  }
  assert.equal(bench.engine.state.status, 'completed');
  return found;
}

describe('a step put before the one that failed', () => {
  test('runs first', () => {
    assert.deepEqual(rounds(goOn(workflow(abc), 'b', workflow(fixed))), [['fix#1'], ['b#2'], ['c#1']]);
  });

  test('runs first in a turn and in a branch', () => {
    const turns = (steps: typeof abc): Workflow => workflow([loop('l', 'iteration < 1', steps)]);
    assert.deepEqual(rounds(goOn(turns(abc), 'l[0]/b', turns(fixed))), [
      ['l[0]/fix#1'],
      ['l[0]/b#2'],
      ['l[0]/c#1'],
    ]);
    const branch = (steps: typeof abc): Workflow => workflow([conditional('i', 'true', { then: steps })]);
    assert.deepEqual(rounds(goOn(branch(abc), 'i/b', branch(fixed))), [['i/fix#1'], ['i/b#2'], ['i/c#1']]);
  });

  test('runs before all that is in a group that failed, however deep', () => {
    const group = parallel('p', [loop('l', 'iteration < 1', abc), skill('x')]);
    const next = goOn(workflow([group]), 'p/l[0]/b', workflow([skill('fix'), group]));
    assert.deepEqual(rounds(next), [['fix#1'], ['p/l[0]/b#2'], ['p/l[0]/c#1']]);
  });

  test('runs first as a composite', () => {
    const after = workflow([skill('a'), parallel('fix', [skill('x'), skill('y')]), skill('b'), skill('c')]);
    assert.deepEqual(rounds(goOn(workflow(abc), 'b', after)), [['fix/x#1', 'fix/y#1'], ['b#2'], ['c#1']]);
  });

  test('does not wait for the others when it runs beside the flow', () => {
    const after = workflow([skill('a'), skill('fix', { isAsync: true }), skill('b'), skill('c')]);
    assert.deepEqual(rounds(goOn(workflow(abc), 'b', after)), [['fix#1', 'b#2'], ['c#1']]);
  });

  test('runs first after a crash in between, too, and the other is cancelled where it fails', () => {
    const after = workflow(fixed);
    const next = goOn(workflow(abc), 'b', after);
    assert.deepEqual(next.go(), ['fix#1']);
    const again = next.crash(after);
    again.resume('crash');
    assert.deepEqual(again.go(), ['fix#1']);
    assert.deepEqual(again.fail('fix'), []);
    assert.equal(again.engine.state.status, 'failed');
    assert.equal(again.engine.state.nodes.get('b')?.status, 'cancelled');
    const third = again.crash(after);
    third.resume('requested');
    assert.deepEqual(rounds(third), [['fix#2'], ['b#2'], ['c#1']]);
  });
});

test('of steps that were in flight side by side, one that stands later now waits', () => {
  const before = workflow([skill('a', { isAsync: true }), skill('b')]);
  const bench = new Bench(before);
  assert.deepEqual(bench.go(), ['a#1', 'b#1']);
  bench.stop('stop');
  bench.advance();
  const next = bench.crash(workflow([skill('a'), skill('b')]));
  next.resume('requested');
  assert.deepEqual(rounds(next), [['a#2'], ['b#2']]);
});
