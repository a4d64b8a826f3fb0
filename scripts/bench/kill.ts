/** From SIGKILL to an empty scope: one tree with escaped daemons, and a fleet of instances. Linux only. */
import { readFileSync } from 'node:fs';
import { isGone } from '../../sandbox/cgroupfs/control-file.ts';
import type { Isolation, Scope } from '../../sandbox/isolation.ts';
import { identify, isAlive } from '../../sandbox/process-identity.ts';
import { bareKill } from './bare-kill.ts';
import { type Measure, p95, type Result, timed } from './measure.ts';
import { AT_ONCE, clear, NO_LIMITS, startIn, until, withIsolation } from './scopes.ts';

/** Of each place. */
const TREE_ROUNDS = 100;
const TREE_SIZE = 200;
const FLOOR_ROUNDS = 10;
const FLOOR_IS = 'SIGKILL to as many bare processes, until the last is gone';
const GRACE_MS = 50;
const FLEET_ROUNDS = 5;
const FLEET_INSTANCES = 50;
const FLEET_PROCESSES = 20;

/** The shell and its sleepers, all deaf to SIGTERM: plain, in sessions of their own, and those re-parented as well. */
function treeOf(plain: number, sessions: number, orphans: number): string {
  return `trap '' TERM
i=0; while [ $i -lt ${sessions} ]; do setsid sleep 600 & i=$((i+1)); done
i=0; while [ $i -lt ${orphans} ]; do (setsid sleep 600 &); i=$((i+1)); done
i=0; while [ $i -lt ${plain} ]; do sleep 600 & i=$((i+1)); done
wait`;
}

/** True when as many processes as wanted are there, all but the shell have become sleepers. */
function isUp(scope: Scope, size: number): boolean {
  const pids = scope.pids();
  return pids.length === size && pids.filter((pid) => nameOf(pid) === 'sleep').length === size - 1;
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch (error) {
    if (!isGone(error)) throw error;
    return '';
  }
}

export const killTree: Measure = {
  name: 'kill-tree',
  run: () =>
    withIsolation('cgroup', async (isolation) => {
      const results: Result[] = [];
      const floor = await bareKill(TREE_SIZE, FLOOR_ROUNDS);
      let survivors = 0;
      for (const place of ['step', 'instance'] as const) {
        const times: number[] = [];
        for (let round = 0; round < TREE_ROUNDS; round += 1) {
          const killed = await killOneTree(isolation, `${place}-${round}`, place);
          times.push(killed.ms);
          survivors += killed.survivors;
        }
        results.push({
          name: `kill of ${TREE_SIZE} processes with daemons, grace over until empty, ${place} (p95)`,
          unit: 'ms',
          value: p95(times),
          floor,
          floorIs: FLOOR_IS,
          bar: { of: 'value', atMost: 60 },
          rounds: TREE_ROUNDS,
          note: 'the whole kill less its grace, so the SIGTERMs count too',
        });
      }
      results.push({
        name: 'survivors of these kills',
        unit: 'processes',
        value: survivors,
        floor: null,
        floorIs: '',
        bar: { of: 'value', atMost: 0 },
        rounds: 2 * TREE_ROUNDS,
      });
      return results;
    }),
};

async function killOneTree(
  isolation: Isolation,
  name: string,
  place: 'step' | 'instance',
): Promise<{ ms: number; survivors: number }> {
  const instance = isolation.openScope(name, NO_LIMITS);
  const step = instance.openChild('step', NO_LIMITS);
  startIn(step, '/bin/sh', ['-c', treeOf(TREE_SIZE / 2 - 1, TREE_SIZE / 4, TREE_SIZE / 4)]);
  await until('the tree is up', () => isUp(step, TREE_SIZE));
  const before = step.pids().map(identify);
  const report = await (place === 'step' ? step : instance).kill({ ...AT_ONCE, graceMs: GRACE_MS });
  if (report.killedCount !== TREE_SIZE)
    throw new Error(`${report.killedCount} of ${TREE_SIZE} lived through SIGTERM: nothing to measure`);
  // Looked for once more, in another way than the kill's own.
  const left = before.filter((identity) => identity !== null && isAlive(identity)).length;
  await clear(instance);
  return { ms: report.durationMs - GRACE_MS, survivors: Math.max(left, report.survivors.length) };
}

export const killFleet: Measure = {
  name: 'kill-fleet',
  run: () =>
    withIsolation('cgroup', async (isolation) => {
      const floor = await bareKill(FLEET_INSTANCES * FLEET_PROCESSES, FLEET_ROUNDS);
      const times: number[] = [];
      for (let round = 0; round < FLEET_ROUNDS; round += 1) times.push(await killOneFleet(isolation, round));
      return [
        {
          name: `kill of ${FLEET_INSTANCES} instances of ${FLEET_PROCESSES} processes at once (max)`,
          unit: 'ms',
          value: Math.max(...times),
          floor,
          floorIs: FLOOR_IS,
          bar: { of: 'value', atMost: 300 },
          rounds: FLEET_ROUNDS,
        },
      ];
    }),
};

async function killOneFleet(isolation: Isolation, round: number): Promise<number> {
  const scopes = Array.from({ length: FLEET_INSTANCES }, (_, index) =>
    isolation.openScope(`fleet-${round}-${index}`, NO_LIMITS),
  );
  const half = FLEET_PROCESSES / 2;
  // One after the other: fifty shells that all fork would leave the machine busy with that.
  for (const scope of scopes) {
    startIn(scope, '/bin/sh', ['-c', treeOf(half - 1, half / 2, half / 2)]);
    await until('an instance is up', () => isUp(scope, FLEET_PROCESSES));
  }
  const ms = await timed(async () => {
    const reports = await Promise.all(scopes.map((scope) => scope.kill(AT_ONCE)));
    const survivors = reports.flatMap((report) => report.survivors);
    if (survivors.length > 0) throw new Error(`${survivors.length} processes survived`);
  });
  for (const scope of scopes) await clear(scope);
  return ms;
}
