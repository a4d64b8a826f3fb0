import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorPolicy, JsonObject, Step, Workflow } from '../../src/definition/workflow.ts';
import { compareDefinitions } from '../../src/engine/redefine.ts';
import {
  Bench,
  conditional,
  custom,
  fault,
  HALT,
  loop,
  parallel,
  ROLLBACK,
  SKIP,
  skill,
  workflow,
} from './support.ts';

/** Runs until a step called as in `failing` fails for good, or to the end. */
function run(definition: Workflow, ...failing: string[]): Bench {
  const bench = new Bench(definition);
  for (let started = bench.go(); started.length > 0; started = bench.go())
    for (const each of started) {
      const [path = '', attempt = '1'] = each.split('#');
      const at = { path, attempt: Number(attempt) };
      if (failing.includes(path)) bench.settle({ ...at, kind: 'failed', error: fault() });
      else bench.settle({ ...at, kind: 'completed', result: {} });
    }
  return bench;
}

interface Change {
  readonly before: Workflow;
  readonly after: Workflow;
  readonly failing: readonly string[];
  readonly from?: string;
  readonly inputs?: JsonObject;
}

function mismatches({ before, after, failing, from, inputs = {} }: Change): string[] {
  const { journal } = run(before, ...failing);
  const { readonly, mutable } = before.context;
  const context = { readonly, mutable };
  return compareDefinitions({ before, after, journal, inputs, context, from: from ?? null }).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

const changed = (id: string): Step => skill(id, { skill: 'another' });

describe('a sequence that failed in its middle', () => {
  const before = workflow([skill('a'), skill('b'), skill('c'), skill('d')]);
  const against = (...steps: Step[]): string[] =>
    mismatches({ before, after: workflow(steps), failing: ['c'] });

  test('goes on with another failed step, other later steps, and more of them', () => {
    assert.deepEqual(against(skill('a'), skill('b'), changed('c'), changed('x')), []);
    // It runs before c then: test/engine/redefine-order.test.ts.
    assert.deepEqual(against(skill('a'), skill('b'), skill('fix'), skill('c'), skill('d')), []);
  });

  test('is held back by a completed step that is another one now, and says what differs', () => {
    assert.deepEqual(against(skill('a'), skill('b', { skill: 'another', timeoutMs: 5 }), skill('c')), [
      'b: has completed, and its skill, timeout differ',
    ]);
  });

  test('is held back where a step that is done, or has begun, is gone', () => {
    assert.deepEqual(against(skill('a'), skill('c'), skill('d')), [
      'b: has completed, and is not there in the new definition',
    ]);
    assert.deepEqual(against(skill('a'), skill('b'), skill('d')), [
      'c: has begun, and is not there in the new definition',
    ]);
  });

  test('is held back where steps that are done changed places, or another stands before them', () => {
    assert.deepEqual(against(skill('b'), skill('a'), skill('c')), [
      'a: b is done, and at this place, where a was, is b now',
    ]);
    assert.deepEqual(against(skill('a'), skill('x'), skill('b'), skill('c')), [
      'b: b is done, and at this place, where b was, is x now',
    ]);
  });

  test('is held back where a step that has begun is of another kind', () => {
    assert.deepEqual(against(skill('a'), skill('b'), parallel('c', [skill('x')])), [
      'c: has begun as skill, and is parallel in the new definition',
    ]);
  });

  test('asks nothing of what --from forgets', () => {
    const after = workflow([skill('a'), changed('b'), skill('c')]);
    assert.deepEqual(mismatches({ before, after, failing: ['c'], from: 'b' }), []);
    assert.deepEqual(mismatches({ before, after, failing: ['c'], from: 'c' }), [
      'b: has completed, and its skill differs',
    ]);
  });
});

describe('with --from', () => {
  const before = workflow([skill('a'), skill('b'), skill('c'), skill('d')]);
  const against = (...steps: Step[]): string[] =>
    mismatches({ before, after: workflow(steps), failing: ['d'], from: 'b' });

  test('a step that would be forgotten is not put before the one to run from', () => {
    assert.deepEqual(against(skill('a'), changed('c'), skill('b'), skill('d')), [
      'c: is to be forgotten, and stands before b in the new definition',
    ]);
    assert.deepEqual(against(skill('a'), skill('b'), skill('d'), changed('c'), skill('x')), []);
  });

  test('a group that would be forgotten is named once', () => {
    const group = parallel('p', [skill('x'), skill('y')]);
    const change = { before: workflow([skill('a'), group, skill('d')]), failing: ['d'], from: 'a' };
    assert.deepEqual(mismatches({ ...change, after: workflow([group, skill('a'), skill('d')]) }), [
      'p: is to be forgotten, and stands before a in the new definition',
    ]);
  });

  test('what is forgotten keeps its place, though it may become another', () => {
    const kept = 'has run (its events stay though it is forgotten)';
    assert.deepEqual(against(skill('a'), skill('b'), skill('d')), [
      `c: ${kept}, and is not there in the new definition`,
    ]);
    assert.deepEqual(against(skill('a'), skill('b'), parallel('c', [skill('x')]), skill('d')), []);
    const old = workflow([skill('a'), loop('c', 'iteration < 1', [skill('x')]), skill('d')]);
    const group = { before: old, failing: ['d'], from: 'a' };
    const withGroup = (step: Step): string[] =>
      mismatches({ ...group, after: workflow([skill('a'), step, skill('d')]) });
    assert.deepEqual(withGroup(skill('c')), [`c: ${kept} as loop, and is skill in the new definition`]);
    assert.deepEqual(withGroup(loop('c', 'iteration < 1', [skill('y')])), [
      `c[0]/x: ${kept}, and is not there in the new definition`,
    ]);
    assert.deepEqual(withGroup(loop('c', 'iteration < 2', [changed('x')])), []);
  });

  test('what an earlier try forgot keeps its place too', () => {
    const bench = run(before, 'd');
    bench.resume('requested', 'b');
    bench.go();
    bench.fail('b');
    const after = workflow([skill('a'), skill('b'), skill('d')]);
    const context = { readonly: {}, mutable: {} };
    const found = compareDefinitions({
      before,
      after,
      journal: bench.journal,
      inputs: {},
      context,
      from: null,
    });
    assert.equal(bench.engine.state.status, 'failed');
    assert.deepEqual(
      found.map(({ path }) => path),
      ['c'],
    );
    assert.match(found[0]?.message ?? '', /^its journal does not fit/);
  });
});

test('the handler of a step that failed keeps its place', () => {
  const before = workflow([skill('a')], { perStep: { a: custom(skill('h')) } });
  const against = (policy: ErrorPolicy): string[] =>
    mismatches({
      before,
      after: workflow([skill('a')], { perStep: { a: policy } }),
      failing: ['a', 'a!h'],
    });
  assert.deepEqual(against(custom(changed('h'))), []);
  assert.deepEqual(against(HALT), [
    'a!h: has run (its events stay though it is forgotten), and is no handler in the new definition',
  ]);
});

test('another agent does not go on with the conversation of the first', () => {
  const agent = (name: string): Step => ({ ...skill('b'), type: 'agent', agent: name, guardrails: {} });
  const before = workflow([skill('a'), agent('x'), skill('c')]);
  const change = { before, after: workflow([skill('a'), agent('y'), skill('c')]), failing: ['b'] };
  const message = 'has begun, and its agent differs: another one begins anew with --from this step';
  assert.deepEqual(mismatches(change), [`b: ${message}`]);
  assert.deepEqual(mismatches({ ...change, from: 'b' }), []);
  assert.deepEqual(mismatches({ ...change, failing: ['a'] }), []);
  assert.deepEqual(mismatches({ ...change, after: before }), []);
});

describe('a loop half-way', () => {
  const before = workflow([loop('l', 'iteration < 3', [skill('a'), skill('b')])]);
  const against = (after: Step, ...failing: string[]): string[] =>
    mismatches({ before, after: workflow([after]), failing });

  test('may take more turns at most, and another step that has not completed yet', () => {
    const after = loop('l', 'iteration < 3', [skill('a'), changed('b'), skill('c')], { maxIterations: 7 });
    assert.deepEqual(against(after, 'l[0]/b'), []);
  });

  test('keeps the condition that began its turns', () => {
    assert.deepEqual(against(loop('l', 'iteration < 4', [skill('a'), skill('b')]), 'l[0]/b'), [
      'l: its condition has been evaluated, and differs',
    ]);
  });

  test('keeps its steps when a turn is over', () => {
    assert.deepEqual(against(loop('l', 'iteration < 3', [skill('a'), skill('b'), skill('c')]), 'l[1]/b'), [
      'l[0]/c: turn 0 is over, and at this place, where the end was, is c now',
    ]);
    assert.deepEqual(against(loop('l', 'iteration < 3', [skill('a'), changed('b')]), 'l[1]/b'), [
      'l[0]/b: has completed, and its skill differs',
    ]);
  });
});

describe('branches', () => {
  test('a parallel group may get more branches and another failed one, in any order', () => {
    const before = workflow([parallel('p', [skill('a'), skill('b')])]);
    const after = workflow([parallel('p', [skill('x'), changed('b'), skill('a')])]);
    assert.deepEqual(mismatches({ before, after, failing: ['p/b'] }), []);
  });

  test('a parallel group that has begun keeps what it waits for, and its completed branches', () => {
    const before = workflow([parallel('p', [skill('a'), skill('b')])]);
    const after = workflow([parallel('p', [changed('a'), skill('b')], { waitFor: 'any' })]);
    assert.deepEqual(mismatches({ before, after, failing: ['p/b'] }), [
      'p: has begun, and its wait_for differs',
      'p/a: has completed, and its skill differs',
    ]);
  });

  test('a conditional that has chosen keeps its condition; the other branch is free', () => {
    const branches = { then: [skill('a'), skill('b')], else: [skill('c')] };
    const before = workflow([conditional('i', 'true', branches)]);
    const other = workflow([conditional('i', 'true', { ...branches, then: [skill('a'), changed('b')] })]);
    assert.deepEqual(mismatches({ before, after: other, failing: ['i/b'] }), []);
    const turned = workflow([conditional('i', '1 < 2', branches)]);
    assert.deepEqual(mismatches({ before, after: turned, failing: ['i/b'] }), [
      'i: its condition has been evaluated, and differs',
    ]);
  });

  test('a step does not change to the other branch, whether it began or was skipped', () => {
    const made = (then: string[], other: string[]): Workflow =>
      workflow([
        conditional('i', 'true', {
          then: then.map((id) => skill(id)),
          else: other.map((id) => skill(id)),
        }),
      ]);
    const against = (then: string[], other: string[]): string[] =>
      mismatches({ before: made(['a', 'b'], ['c']), after: made(then, other), failing: ['i/b'] });
    assert.deepEqual(against(['a'], ['c', 'b']), [
      'i/b: has begun, and is in the other branch of the new definition',
    ]);
    assert.deepEqual(against(['a', 'b', 'c'], []), [
      'i/c: was skipped, and is in the other branch of the new definition',
    ]);
    assert.deepEqual(against(['a', 'x', 'b'], ['y', 'c']), []);
  });

  test('a group that is done is compared as a whole, with what it never ran', () => {
    const before = workflow([
      conditional('i', 'true', { then: [skill('a')], else: [skill('c')] }),
      skill('z'),
    ]);
    const after = workflow([
      conditional('i', 'true', { then: [skill('a')], else: [changed('c')] }),
      skill('z'),
    ]);
    assert.deepEqual(mismatches({ before, after, failing: ['z'] }), [
      'i/c: is in i, which has completed, and its skill differs',
    ]);
  });
});

describe('errors that were dealt with', () => {
  const steps = [skill('a'), skill('z')];

  test('a step that was skipped or handled keeps its error handling', () => {
    const before = workflow(steps, { perStep: { a: SKIP } });
    const after = workflow(steps, { perStep: { a: HALT } });
    assert.deepEqual(mismatches({ before, after, failing: ['a', 'z'] }), [
      'a: was skipped, and its error handling differs: strategy, then',
    ]);
    const handled = workflow(steps, { perStep: { a: custom(skill('h')) } });
    const otherwise = workflow(steps, { perStep: { a: custom(changed('h')) } });
    assert.deepEqual(mismatches({ before: handled, after: otherwise, failing: ['a', 'z'] }), [
      'a: was handled, and its error handling differs: handler',
    ]);
  });

  test('the error handling of steps that failed or never ran is free', () => {
    const before = workflow(steps);
    const after = workflow(steps, { perStep: { z: SKIP }, default: SKIP });
    assert.deepEqual(mismatches({ before, after, failing: ['z'] }), []);
  });

  test('a run that is rolling back goes on with its own definition alone', () => {
    const before = workflow([skill('a', { undo: { id: 'u', step: skill('u') } }), skill('z')], {
      default: ROLLBACK,
    });
    const bench = new Bench(before);
    bench.go();
    bench.settle({ path: 'a', attempt: 1, kind: 'completed', result: {} });
    bench.go();
    bench.settle({ path: 'z', attempt: 1, kind: 'failed', error: fault() });
    bench.advance();
    bench.stop('stop');
    bench.advance();
    const context = { readonly: {}, mutable: {} };
    const ask = (after: Workflow): unknown =>
      compareDefinitions({ before, after, journal: bench.journal, inputs: {}, context, from: null });
    assert.equal(bench.engine.state.status, 'stopped');
    assert.deepEqual(ask({ ...before, description: 'other words' }), [
      { path: 'z', message: 'the run is rolling back since this step failed' },
    ]);
    assert.deepEqual(ask(before), []);
  });
});

test('values that the run did not begin with are named', () => {
  const before = workflow([skill('a')]);
  const declared = { type: 'string', isRequired: true, default: undefined, description: '' } as const;
  const after = workflow([skill('a')], {
    context: { readonly: { home: '/' }, mutable: { count: 0 }, access: {} },
    inputs: { who: declared, given: declared, perhaps: { ...declared, isRequired: false } },
  });
  assert.deepEqual(mismatches({ before, after, failing: ['a'], inputs: { given: 'x' } }), [
    '$.context.readonly.home: the run began without this context value',
    '$.context.mutable.count: the run began without this context value',
    '$.inputs.who: the run began without this input',
  ]);
});

test('values that are of another type now are named', () => {
  const declared = { type: 'string', isRequired: true, default: undefined, description: '' } as const;
  const optional = { ...declared, isRequired: false };
  const before = workflow([skill('a')], { inputs: { id: declared, free: optional } });
  const against = (inputs: Workflow['inputs'], given: JsonObject): string[] =>
    mismatches({ before, after: workflow([skill('a')], { inputs }), failing: ['a'], inputs: given });
  const number = { ...declared, type: 'number' } as const;
  assert.deepEqual(against({ id: number }, { id: '7' }), [
    '$.inputs.id: the run began with a value of the type string, and it is number now',
  ]);
  assert.deepEqual(against({ id: { ...declared, type: 'any' } }, { id: '7' }), []);
  // One that was not given is null.
  assert.deepEqual(against({ free: { ...number, isRequired: false } }, { free: null }), []);
  assert.deepEqual(against({ free: declared }, { free: null }), [
    '$.inputs.free: the run began without this input',
  ]);
  assert.deepEqual(against({ free: { ...optional, default: null } }, { free: null }), []);
  assert.deepEqual(against({ id: { ...number, type: 'any' } }, { id: null }), []);
});
