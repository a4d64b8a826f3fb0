import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beatOf } from '../../src/protocol/instance-link.ts';
import { createLiveInstance, type LiveInstance } from '../../src/supervisor/live-instance.ts';
import { createPulses } from '../../src/supervisor/pulses.ts';
import { runningRow } from './fake-context.ts';

const EVERY_MS = 5_000;

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
    standStill: (ms: number) => {
      now += ms;
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
