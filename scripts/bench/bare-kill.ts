/** The floor of a kill: SIGKILL to each of so many bare sleepers of ours, until the last is a zombie or gone. */
import { spawn } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { identify } from '../../sandbox/process-identity.ts';
import { p95 } from './measure.ts';
import { until } from './scopes.ts';

/** The p95 of `rounds` kills of `size` processes, ms. */
export async function bareKill(size: number, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await killSleepers(size));
  return p95(times);
}

async function killSleepers(size: number): Promise<number> {
  const pids = Array.from({ length: size }, () => {
    const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore', detached: true });
    if (child.pid === undefined) throw new Error('sleep could not be started');
    return child.pid;
  });
  await until('the sleepers live', () => pids.every((pid) => identify(pid) !== null));
  const startedAt = performance.now();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  while (pids.some((pid) => identify(pid) !== null)) await nextTurn();
  return performance.now() - startedAt;
}
