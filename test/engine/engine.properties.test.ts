import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { projectRun } from '../../src/engine/projection.ts';
import { anyWorkflow, chanceFrom, completedPaths, play } from './random-run.ts';
import { Bench, snapshot } from './support.ts';

const RUNS = Number(process.env.Q_TEST_RUNS ?? 150);
const seed = fc.integer();

test('a run always ends, never exceeds its slots, and gives nothing after its end', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, (definition, number) => {
      const { bench, peak } = play(new Bench(definition), chanceFrom(number));
      assert.ok(peak <= definition.limits.maxConcurrentSteps, `${peak} at once`);
      assert.deepEqual(bench.advance(), []);
      assert.equal(bench.journal.filter((event) => event.type === 'run.ended').length, 1);
      assert.equal(bench.journal.at(-1)?.type, 'run.ended');
    }),
    { numRuns: RUNS * 2 },
  );
});

test('replay gives the same state at every prefix', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, (definition, number) => {
      const live = new Bench(definition);
      const replayed = new Bench(definition);
      let applied = 1;
      play(live, chanceFrom(number), () => {
        if (applied === live.journal.length) return;
        for (const event of live.journal.slice(applied)) replayed.engine.apply(event);
        applied = live.journal.length;
        assert.deepEqual(snapshot(replayed.engine.state), snapshot(live.engine.state));
      });
    }),
    { numRuns: RUNS },
  );
});

test('after a crash anywhere no completed step runs again and the run ends', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, (definition, number) => {
      const whole = play(new Bench(definition), chanceFrom(number)).bench;
      const step = Math.max(1, Math.floor(whole.journal.length / 40));
      for (let length = 1; length < whole.journal.length; length += step) {
        const next = whole.crash(definition, length);
        next.resume('crash');
        const before = completedPaths(next.journal);
        const { handed, peak } = play(next, chanceFrom(number + length));
        for (const path of handed) assert.ok(!before.has(path), `${path} ran again`);
        assert.ok(peak <= definition.limits.maxConcurrentSteps, `${peak} at once`);
      }
    }),
    { numRuns: Math.ceil(RUNS / 2) },
  );
});

test('what was cancelled does not complete or start later within the same run', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, (definition, number) => {
      const { bench } = play(new Bench(definition), chanceFrom(number));
      const cancelled = new Set<string>();
      for (const event of bench.journal) {
        if (!('path' in event) || event.path === null) continue;
        assert.ok(!cancelled.has(event.path), `${event.type} of ${event.path} after its cancel`);
        if (event.type === 'step.cancelled') cancelled.add(event.path);
      }
    }),
    { numRuns: RUNS },
  );
});

test('a run that failed can be resumed from any of its steps, and ends again', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(), (definition, number, choice) => {
      const first = play(new Bench(definition), chanceFrom(number)).bench;
      if (first.engine.state.status !== 'failed') return;
      const next = first.crash(definition);
      const kept = [...next.engine.state.nodes.values()].filter((node) => node.relation === 'child');
      const from = choice % 3 === 0 ? null : kept[choice % kept.length]?.path;
      try {
        next.resume('requested', from ?? null);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'STEP_NOT_FOUND') return;
        throw error;
      }
      const before = new Set(
        [...next.engine.state.nodes.values()]
          .filter((node) => node.status === 'completed')
          .map((node) => node.path),
      );
      const { handed } = play(next, chanceFrom(number + 1));
      for (const path of handed) assert.ok(!before.has(path), `${path} ran again`);
      assert.deepEqual(snapshot(next.crash(definition).engine.state), snapshot(next.engine.state));
    }),
    { numRuns: RUNS },
  );
});

test('a stop at any moment ends the run with nothing left open', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, fc.nat(40), (definition, number, moment) => {
      const whole = play(new Bench(definition), chanceFrom(number)).bench;
      const length = 1 + (moment % (whole.journal.length - 1));
      const next = whole.crash(definition, length);
      next.stop('kill_switch');
      next.advance();
      assert.equal(next.engine.state.status, 'killed');
      assert.ok([...next.engine.state.nodes.values()].every((node) => node.status !== 'running'));
    }),
    { numRuns: RUNS },
  );
});

test('the projection agrees with the state of the engine', () => {
  fc.assert(
    fc.property(anyWorkflow, seed, (definition, number) => {
      const { bench } = play(new Bench(definition), chanceFrom(number));
      const projection = projectRun();
      for (const [index, event] of bench.journal.entries())
        projection.apply({ seq: index + 1, at: index, event });
      const view = projection.view();
      assert.equal(view.status, bench.engine.state.status);
      for (const row of view.steps) {
        const node = bench.engine.state.nodes.get(row.path);
        assert.equal(row.status, node?.status);
        assert.equal(row.type, node?.step.type, row.path);
        assert.deepEqual(row.outputs, node?.result ?? null);
      }
    }),
    { numRuns: RUNS },
  );
});
