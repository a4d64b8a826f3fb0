/** What a hog gets over a memory limit that is only observed. Linux only. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Isolation } from '../../sandbox/isolation.ts';
import { type Measure, median } from './measure.ts';
import { AT_ONCE, clear, MIB, NO_LIMITS, startIn, withIsolation } from './scopes.ts';

const ROUNDS = 10;
const LIMIT_MIB = 512;
const CHUNK_MIB = 4;

/** 4 MiB each 4 ms, late ones not made up for: at most 1 GiB/s, less where the machine is busy. Ends at 4 GiB. */
const HOG = `
const all = [];
for (let due = performance.now(); all.length < 1024; due = Math.max(performance.now(), due + ${CHUNK_MIB})) {
  while (performance.now() < due);
  all.push(Buffer.alloc(${CHUNK_MIB} * 1024 * 1024, 1));
}`;

/** A look at the resident size each ms, in a thread of its own so that it neither waits for the watch nor holds it up. */
const WATCHER = `
const { workerData: pid, parentPort } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
const idle = new Int32Array(new SharedArrayBuffer(4));
let peak = 0, from = null, to = null;
for (;;) {
  let pages = 0;
  try { pages = Number(readFileSync('/proc/' + pid + '/statm', 'latin1').split(' ')[1]); } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
  }
  if (pages === 0) break;
  const mib = pages / 256, at = performance.now();
  if (mib > 100) from ??= { mib, at };
  if (mib > peak) to = { mib, at };
  peak = Math.max(peak, mib);
  Atomics.wait(idle, 0, 0, 1);
}
parentPort.postMessage({ peak, rate: from === null ? 0 : (1000 * (to.mib - from.mib)) / (to.at - from.at) });
`;

export const pollingOvershoot: Measure = {
  name: 'polling-overshoot',
  run: () =>
    withIsolation('polling', async (isolation) => {
      const seen: { over: number; rate: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) seen.push(await oneHog(isolation, round));
      const over = seen.map((each) => each.over);
      const rate = median(seen.map((each) => each.rate));
      return [
        {
          name: `memory over an observed limit of ${LIMIT_MIB} MiB (max)`,
          unit: 'MiB',
          value: Math.max(...over),
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 64 },
          rounds: ROUNDS,
          note: `at ${rate.toFixed(0)} MiB/s; median ${median(over).toFixed(0)} MiB`,
        },
      ];
    }),
};

async function oneHog(isolation: Isolation, round: number): Promise<{ over: number; rate: number }> {
  const scope = isolation.openScope(`hog-${round}`, { ...NO_LIMITS, memoryBytes: LIMIT_MIB * MIB });
  // As the supervisor does it.
  let isBreached = false;
  scope.onBreach(() => {
    isBreached = true;
    void scope.kill(AT_ONCE);
  });
  const child = startIn(scope, process.execPath, ['-e', HOG]);
  const watcher = new Worker(WATCHER, { eval: true, workerData: child.pid });
  const [{ peak, rate }] = (await once(watcher, 'message')) as [{ peak: number; rate: number }];
  if (!isBreached) throw new Error(`the hog ended at ${peak} MiB, and nobody saw it`);
  await clear(scope);
  return { over: Math.max(0, peak - LIMIT_MIB), rate };
}
