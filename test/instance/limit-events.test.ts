import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Usage } from '../../sandbox/isolation.ts';
import { runCpuHit, stepLimitHits } from '../../src/instance/limit-events.ts';

const MB = 1024 * 1024;
const quiet: Usage = {
  memoryBytes: 0,
  memoryPeakBytes: 40 * MB,
  cpuSeconds: 2,
  cpuThrottledSeconds: 0,
  processes: 0,
  processesPeak: 9,
  oomKills: 0,
  forksRefused: 0,
};
const limits = { memoryBytes: 64 * MB, processes: 32, cpuPercent: null };
const hit = { type: 'limit.hit', path: 'a' };

test('an attempt that met no limit tells none', () => {
  assert.deepEqual(stepLimitHits('a', null, quiet, limits), []);
  assert.deepEqual(stepLimitHits('a', { code: 'EXIT_NONZERO', message: '' }, null, limits), []);
});

test('a kill for memory counts also when the attempt succeeded, with the peak that the error or the kernel saw', () => {
  assert.deepEqual(stepLimitHits('a', null, { ...quiet, oomKills: 2 }, limits), [
    { ...hit, limit: 'memory', allowed: 64 * MB, peak: 40 * MB },
  ]);
  const error = { code: 'STEP_OOM', message: '', details: { peak_bytes: 63 * MB } } as const;
  assert.deepEqual(stepLimitHits('a', error, quiet, limits), [
    { ...hit, limit: 'memory', allowed: 64 * MB, peak: 63 * MB },
  ]);
});

test('refused starts, a timeout and a quota of the skill each come with their numbers', () => {
  assert.deepEqual(stepLimitHits('a', null, { ...quiet, forksRefused: 4 }, limits), [
    { ...hit, limit: 'processes', allowed: 32, peak: 9, refused: 4 },
  ]);
  const late = { code: 'STEP_TIMEOUT', message: '', details: { timeout_ms: 1500 } } as const;
  assert.deepEqual(stepLimitHits('a', late, quiet, limits), [
    { ...hit, limit: 'time', allowed: 1.5, peak: 1.5 },
  ]);
  const held = { ...quiet, cpuThrottledSeconds: 1.234 };
  assert.deepEqual(stepLimitHits('a', null, held, { ...limits, cpuPercent: 20 }), [
    { ...hit, limit: 'cpu', allowed: 20, peak: 20, heldBackSeconds: 1.23 },
  ]);
});

test('the quota of the whole instance is told with the mean use, and not for a blink', () => {
  assert.deepEqual(runCpuHit({ ...quiet, cpuThrottledSeconds: 3 }, 50, 4), [
    { type: 'limit.hit', path: null, limit: 'cpu', allowed: 50, peak: 50, heldBackSeconds: 3 },
  ]);
  assert.deepEqual(runCpuHit({ ...quiet, cpuThrottledSeconds: 0.49 }, 50, 4), []);
});
