import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Step, Workflow } from '../../src/definition/workflow.ts';
import { runsBeside } from '../../src/engine/plan.ts';
import { compareDefinitions, type Mismatch } from '../../src/engine/redefine.ts';
import { planResume } from '../../src/engine/resume-plan.ts';
import { hasEnded, type MutableRunState, type StepNode } from '../../src/engine/run-state.ts';
import { anyWorkflow, chanceFrom, completedPaths, play } from './random-run.ts';
import { Bench, skill } from './support.ts';

const RUNS = Number(process.env['Q_TEST_RUNS'] ?? 150);
const seed = fc.integer();

/** A run that was stopped at some moment, or failed before it: what a person would resume. */
function stopped(definition: Workflow, number: number, moment: number): Bench | null {
  const whole = play(new Bench(definition), chanceFrom(number)).bench;
  const next = whole.crash(definition, 1 + (moment % (whole.journal.length - 1)));
  next.stop('kill_switch');
  next.advance();
  const { status } = next.engine.state;
  return status === 'killed' || status === 'failed' ? next : null;
}

function compare(bench: Bench, before: Workflow, after: Workflow): Mismatch[] {
  const context = { readonly: {}, mutable: {} };
  return compareDefinitions({ before, after, journal: bench.journal, inputs: {}, context, from: null });
}

/** The workflow with every step of it, wherever, as `change` makes it. */
function mapSteps(definition: Workflow, change: (step: Step) => Step): Workflow {
  const walk = (step: Step): Step => {
    const changed = change(step);
    if (changed.type === 'conditional')
      return { ...changed, then: changed.then.map(walk), else: changed.else.map(walk) };
    return changed.type === 'parallel' || changed.type === 'loop'
      ? { ...changed, steps: changed.steps.map(walk) }
      : changed;
  };
  return { ...definition, steps: definition.steps.map(walk) };
}

function touched(step: Step): Step {
  return { ...step, set: { ...step.set, changed: '1' } };
}

test('the same definition always matches, whatever its descriptions say', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(60), (definition, number, moment) => {
      const bench = stopped(definition, number, moment);
      if (bench === null) return;
      const same = mapSteps(definition, (step) => ({ ...step, description: 'said otherwise' }));
      const found = compare(bench, definition, same);
      if (stateOf(bench).rollback === null) assert.deepEqual(found, []);
      else assert.match(found[0]?.message ?? '', /rolling back/);
      assert.deepEqual(compare(bench, definition, definition), []);
    }),
    { numRuns: RUNS * 2 },
  );
});

test('a change of a step that has completed is always refused, and the step named', () => {
  let tried = 0;
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(60), fc.nat(), (definition, number, moment, choice) => {
      const bench = stopped(definition, number, moment);
      if (bench === null || stateOf(bench).rollback !== null) return;
      const done = kept(stateOf(bench)).filter(
        ({ status, relation }) => status === 'completed' && relation === 'child',
      );
      // Steps within handlers are those of a policy, not of `steps`.
      const inFlow = done.filter(({ area }) => area === 'flow');
      const node = inFlow[choice % Math.max(1, inFlow.length)];
      if (node === undefined) return;
      tried += 1;
      const after = mapSteps(definition, (step) => (step.id === node.step.id ? touched(step) : step));
      const paths = compare(bench, definition, after).map(({ path }) => path.replaceAll(/\[\d+\]|~\d+/g, ''));
      const named = node.path.replaceAll(/\[\d+\]|~\d+/g, '');
      assert.ok(paths.includes(named), `${named} is not among ${paths.join(', ')}`);
    }),
    { numRuns: RUNS * 2 },
  );
  assert.ok(tried > RUNS / 3, `only ${tried} were tried`);
});

test('a change of steps that were not reached always passes, and the run goes on with it', () => {
  let tried = 0;
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(60), (definition, number, moment) => {
      const bench = stopped(definition, number, moment);
      if (bench === null || stateOf(bench).rollback !== null) return;
      const seen = new Set([...stateOf(bench).nodes.values()].map(({ step }) => step.id));
      const frozen = insideSettled(stateOf(bench));
      const after = mapSteps(definition, (step) =>
        seen.has(step.id) || frozen.has(step.id)
          ? step
          : { ...step, writes: [], sandbox: { mode: 'required', tier: null, tierOf: null } },
      );
      const longer = { ...after, steps: [...after.steps, skill('afterwards')] };
      assert.deepEqual(compare(bench, definition, longer), []);
      tried += 1;
      const before = completedPaths(bench.journal);
      const next = bench.crash(longer);
      next.resume('requested');
      const open = new Set(
        kept(stateOf(next))
          .filter(({ status }) => status === 'completed')
          .map(({ path }) => path),
      );
      const { handed } = play(next, chanceFrom(number + 1));
      for (const path of handed) assert.ok(!(before.has(path) && open.has(path)), `${path} ran again`);
    }),
    { numRuns: RUNS * 2 },
  );
  assert.ok(tried > RUNS / 3, `only ${tried} were tried`);
});

test('with steps put before those that go on, wherever, nothing starts before its turn', () => {
  let tried = 0;
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(60), fc.nat(), (definition, number, moment, choice) => {
      const bench = stopped(definition, number, moment);
      if (bench === null || stateOf(bench).rollback !== null) return;
      const open = kept(stateOf(bench)).filter(
        ({ status, relation, area }) =>
          relation === 'child' && area === 'flow' && (status === 'failed' || status === 'cancelled'),
      );
      const aim = open[choice % Math.max(1, open.length)]?.step.id;
      const put = (steps: readonly Step[]): Step[] =>
        steps.flatMap((step) => (step.id === aim ? [skill('put'), step] : [step]));
      const inner = mapSteps(definition, (step) => {
        if (step.type === 'conditional') return { ...step, then: put(step.then), else: put(step.else) };
        return step.type === 'loop' ? { ...step, steps: put(step.steps) } : step;
      });
      const after = { ...inner, steps: put(inner.steps) };
      if (aim === undefined || compare(bench, definition, after).length > 0) return;
      tried += 1;
      const next = bench.crash(after);
      const before = next.journal.length;
      next.resume('requested');
      play(next, chanceFrom(number + 1));
      const witness = next.crash(after, 0);
      for (const [index, event] of next.journal.entries()) {
        witness.engine.apply(event);
        if (index < before || event.type !== 'step.started') continue;
        const node = stateOf(witness).nodes.get(event.path);
        assert.ok(node !== undefined);
        assert.deepEqual(missedBefore(node), [], `when ${event.path} started`);
      }
    }),
    { numRuns: RUNS * 2 },
  );
  assert.ok(tried > RUNS / 3, `only ${tried} were tried`);
});

/** Steps that should have ended before the node began: those before it, and before what is around it. */
function missedBefore(node: StepNode): string[] {
  const missed: string[] = [];
  for (let at: StepNode | null = node; at !== null; at = at.host ?? at.frame.owner) {
    const { frame, step, relation } = at;
    if (relation !== 'child' || frame.owner?.step.type === 'parallel') continue;
    for (const earlier of frame.steps.slice(0, frame.steps.indexOf(step))) {
      const known = frame.children.get(earlier.id);
      const isOver = known !== undefined && hasEnded(known);
      if (!isOver && !runsBeside(earlier)) missed.push(`${frame.prefix}${earlier.id}`);
    }
  }
  return missed;
}

/** Nodes that a resume does not forget. */
function kept(
  state: MutableRunState,
): MutableRunState['nodes'] extends Map<string, infer Node> ? Node[] : never {
  const gone = new Set(state.reason === null ? [] : planResume(state, null).forgotten);
  return [...state.nodes.values()].filter(({ path }) => !gone.has(path));
}

/** Ids of all steps in composites that are done: they are compared as a whole. */
function insideSettled(state: MutableRunState): Set<string> {
  const ids = new Set<string>();
  const add = (step: Step): void => {
    ids.add(step.id);
    const inner =
      step.type === 'conditional' ? [...step.then, ...step.else] : 'steps' in step ? step.steps : [];
    inner.forEach(add);
  };
  for (const { step, status } of state.nodes.values())
    if (['completed', 'handled', 'skipped'].includes(status)) add(step);
  return ids;
}

/** The engine's own state: the reducer's type has what the public one hides. */
function stateOf(bench: Bench): MutableRunState {
  return bench.engine.state as MutableRunState;
}
