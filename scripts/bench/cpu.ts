/** A CPU limit under load, and what it costs the supervisor to look at what its instances use. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Isolation, Scope } from '../../sandbox/isolation.ts';
import { createLiveInstance, type LiveInstance } from '../../src/supervisor/lifecycle/live-instance.ts';
import { createSampler } from '../../src/supervisor/watching/sampler.ts';
import type { Measure } from './measure.ts';
import { clear, NO_LIMITS, startIn, until, withIsolation } from './scopes.ts';

const BUSY = 'i=0; while [ $i -lt 3 ]; do while :; do :; done & i=$((i+1)); done; while :; do :; done';
const QUOTA_MS = 10_000;
const FREE_MS = 3000;
const SAMPLED = 100;
const SAMPLING_MS = 10_000;

export const cpuQuota: Measure = {
  name: 'cpu-quota',
  run: () =>
    withIsolation('cgroup', async (isolation) => {
      const free = await shareOf(isolation, 'free', null, FREE_MS);
      // Where others take most of the machine, what is missing at 50 % would be theirs and not the quota's.
      const percent = free >= 100 ? 50 : 20;
      const share = await shareOf(isolation, 'held', percent, QUOTA_MS);
      return [
        {
          name: `4 busy processes under a CPU limit of ${percent} %: distance from it`,
          unit: '%',
          value: Math.abs(share - percent),
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 5 },
          rounds: 1,
          note: `${share.toFixed(1)} % over ${QUOTA_MS / 1000} s; without a limit they get ${free.toFixed(0)} %`,
        },
      ];
    }),
};

/** What four busy processes get of a core, in percent. */
async function shareOf(
  isolation: Isolation,
  name: string,
  percent: number | null,
  ms: number,
): Promise<number> {
  const scope = isolation.openScope(name, { ...NO_LIMITS, cpuPercent: percent });
  startIn(scope, '/bin/sh', ['-c', BUSY]);
  await until('four processes are busy', () => scope.usage('quick').processes === 4);
  const before = { at: performance.now(), used: scope.usage().cpuSeconds };
  await pause(ms);
  const usedMs = (scope.usage().cpuSeconds - before.used) * 1000;
  const share = (100 * usedMs) / (performance.now() - before.at);
  await clear(scope);
  return share;
}

export const sampling: Measure = {
  name: 'sampling',
  run: () =>
    withIsolation('cgroup', async (isolation) => {
      const scopes = Array.from({ length: SAMPLED }, (_, index) =>
        isolation.openScope(`sampled-${index}`, NO_LIMITS),
      );
      for (const scope of scopes) startIn(scope, '/bin/sleep', ['600']);
      for (const scope of scopes) await until('it runs', () => scope.usage('quick').processes === 1);
      const idle = await ownCpuPercent();
      const lives = scopes.map(liveIn);
      const failures: unknown[] = [];
      const sampler = createSampler(
        () => lives,
        (_, error) => failures.push(error),
      );
      sampler.wake();
      const busy = await ownCpuPercent();
      sampler.close();
      if (failures.length > 0) throw new Error(`${failures.length} looks failed: ${String(failures[0])}`);
      if (lives.some((live) => live.usedNow?.processes !== 1)) throw new Error('not all were looked at');
      return [
        {
          name: `sampling of ${SAMPLED} instances at 4 Hz, of a core`,
          unit: '%',
          value: busy,
          floor: idle,
          floorIs: 'the same process without it',
          bar: { of: 'difference', atMost: 0.3 },
          rounds: 1,
          note: `over ${SAMPLING_MS / 1000} s each`,
        },
      ];
    }),
};

/** CPU time that this process takes while it only waits, in percent of a core. */
async function ownCpuPercent(): Promise<number> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await pause(SAMPLING_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - startedAt);
}

/** An instance as the fleet holds it, nothing followed: what the sampler reads of it is its scope. */
function liveIn(scope: Scope): LiveInstance {
  const row = {
    id: scope.record.name,
    workflow: 'sampled',
    version: '1.0.0',
    definitionHash: '',
    pinsHash: '',
    source: '',
    workspace: '/',
    status: 'running',
    reason: null,
    error: null,
    inputs: {},
    context: { readonly: {}, mutable: {} },
    env: {},
    limits: {
      memoryBytes: 0,
      cpuPercent: 100,
      processes: 1,
      executionMs: 0,
      concurrentSteps: 1,
      diskBytes: null,
    },
    createdAt: 0,
    startedAt: 0,
    endedAt: null,
    incarnation: 1,
    tokenHash: null,
    process: null,
    scope: scope.record,
    isolation: null,
    usage: null,
    activeMs: 0,
    activeSince: 0,
    fruitless: 0,
    pausedAt: null,
    pausedBy: null,
    wakeAt: null,
    lastSeq: 0,
    resumeFrom: null,
    notice: null,
    approvals: 'named',
  } as const;
  return Object.assign(createLiveInstance(row, [], []), { scope, hasReported: true });
}
