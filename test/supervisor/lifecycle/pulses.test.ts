import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Usage } from '../../../sandbox/isolation.ts';
import { beatOf } from '../../../src/protocol/instance-link.ts';
import { createLiveInstance, type LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { createPulses } from '../../../src/supervisor/lifecycle/pulses.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

const EVERY_MS = 5_000;
const NO_USAGE = fakeContext({}).scope.usage();

/** Looks every half second at the given instances; each step first lets `beats` beat. */
function watch(...lives: LiveInstance[]) {
  let now = 0;
  const hung: [LiveInstance, number][] = [];
  const pulses = createPulses(
    () => lives,
    (live, silentMs) => hung.push([live, silentMs]),
    () => now,
  );
  for (const live of lives) live.pulse = { everyMs: EVERY_MS, heardAt: 0 };
  return {
    hung,
    pass: (ms: number, ...beating: LiveInstance[]) => {
      for (const end = now + ms; now < end; ) {
        now += 500;
        for (const { pulse } of beating) if (pulse !== null && now % EVERY_MS === 0) pulse.heardAt = now;
        pulses.look();
      }
    },
    /** We stand still ourselves: no look, and nothing is heard. */
    standStill: (ms: number, ...beating: LiveInstance[]) => {
      now += ms;
      // What they sent meanwhile is read before the timer fires.
      for (const { pulse } of beating) if (pulse !== null) pulse.heardAt = now;
      pulses.look();
    },
  };
}

test('who is silent for two beats is told once, who beats never', () => {
  const [silent, beating] = [running('a'), running('b')];
  const { hung, pass } = watch(silent, beating);
  pass(9_000, beating);
  assert.deepEqual(hung, []);
  pass(1_000, beating);
  assert.deepEqual(hung, [[silent, 9_500]]);
  pass(60_000, beating);
  assert.equal(hung.length, 1);
});

test('the time in which the supervisor stood still counts for nobody', () => {
  const live = running('a');
  const { hung, pass, standStill } = watch(live);
  pass(4_000);
  standStill(120_000);
  pass(4_500);
  assert.deepEqual(hung, []);
  pass(1_500);
  assert.equal(hung.length, 1);
});

test('one that was heard as soon as the supervisor went on is not heard in the future', () => {
  const live = running('a');
  const { hung, pass, standStill } = watch(live);
  pass(500);
  standStill(600_000, live);
  pass(9_500);
  assert.equal(hung.length, 1);
});

test('the time in which a run without cgroups is held for its CPU limit is no silence', () => {
  const [held, stopped] = [running('a'), running('b')];
  const { hung, pass } = watch(held, stopped);
  let heldSeconds = 700;
  held.scope = fakeContext({}, { usage: () => ({ ...NO_USAGE, cpuThrottledSeconds: heldSeconds }) }).scope;
  stopped.scope = fakeContext({}).scope;
  pass(500);
  // Nine tenths of the time it stands still.
  for (let step = 0; step < 180; step += 1) {
    heldSeconds += 0.45;
    pass(500);
  }
  assert.deepEqual(hung, [[stopped, 9_500]]);
  // It had 9 s for itself, and is not held any more.
  pass(1_000);
  assert.equal(hung.length, 2);
});

test('what a kernel throttles counts as before: it is told of all cores together', () => {
  const live = running('a');
  const { hung, pass } = watch(live);
  let seconds = 0;
  const record = { ...fakeContext({}).scope.record, backend: 'cgroup-v2' } as const;
  const usage = (): Usage => {
    seconds += 2;
    return { ...NO_USAGE, cpuThrottledSeconds: seconds };
  };
  live.scope = fakeContext({}, { record, usage }).scope;
  pass(10_000);
  assert.equal(hung.length, 1);
});

test('a paused one is not heard, and has its whole time when it goes on', () => {
  const live = running('a');
  const { hung, pass } = watch(live);
  live.row = { ...live.row, pausedAt: 1 };
  pass(60_000);
  assert.deepEqual(hung, []);
  live.row = { ...live.row, pausedAt: null };
  pass(9_000);
  assert.deepEqual(hung, []);
  pass(1_000);
  assert.equal(hung.length, 1);
});

test('one that is being ended already, or never said that it beats, is left alone', () => {
  const [ending, old] = [running('a'), running('b')];
  const { hung, pass } = watch(ending, old);
  ending.endRequest = { kind: 'killed', by: 'tester' };
  old.pulse = null;
  pass(60_000);
  assert.deepEqual(hung, []);
});

test('of less than a core, beats may take so much longer', () => {
  assert.deepEqual([400, 100, 50, 10, 1].map(beatOf), [5_000, 5_000, 10_000, 50_000, 60_000]);
});

function running(id: string): LiveInstance {
  return createLiveInstance(runningRow(id), [], []);
}

test('who has no processor on a busy machine is not hung, who has one and is silent is', () => {
  const live = { ...running('a'), process: { pid: 7, startTime: '1', bootId: 'b' } };
  let [now, delay] = [0, 0];
  const hung: number[] = [];
  const pulses = createPulses(
    () => [live],
    (_, silentMs) => hung.push(silentMs),
    () => now,
    (pid) => (pid === 7 ? delay : null),
  );
  live.pulse = { everyMs: EVERY_MS, heardAt: 0 };
  const pass = (ms: number, waitsMs: number): void => {
    for (const end = now + ms; now < end; ) {
      now += 500;
      delay += waitsMs;
      pulses.look();
    }
  };
  pass(60_000, 500);
  assert.deepEqual(hung, []);
  pass(4_000, 50);
  assert.deepEqual(hung, []);
  pass(2_000, 50);
  assert.equal(hung.length, 1);
});
