/** For how long the scope of a step keeps the event loop of its instance from anything else. */
import { mkdirSync, rmdirSync } from 'node:fs';
import type { Scope } from '../../sandbox/isolation.ts';
import { median, p95, type Result } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const ROUNDS = 100;
const LIMITS = { memoryBytes: 256 * 1024 * 1024, cpuPercent: 100, processes: 64 };
const TRUE = { file: '/bin/true', args: [], cwd: '/', env: {} };

/** Time inside the synchronous calls alone, each against the bare system calls on as many cgroups beside them. */
export async function blocking(instance: Scope): Promise<Result[]> {
  const opened: number[] = [];
  const closed: number[] = [];
  const made: number[] = [];
  const removed: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { scope, ms } = openTimed(instance, round);
    opened.push(ms);
    const plan = scope.plan(TRUE);
    await spawnToEnd(plan.file, plan.args, { env: { ...plan.env } });
    const startedAt = performance.now();
    const removal = scope.remove();
    closed.push(performance.now() - startedAt);
    await removal;
    const folders = distinctFolders(scope).map((folder) => `${folder}-bare`);
    made.push(timedEach(folders, mkdirSync));
    removed.push(timedEach(folders, rmdirSync));
  }
  return [
    result('open and limit', opened, made, 'bare mkdir of its cgroups'),
    result('close', closed, removed, 'bare rmdir of its cgroups'),
  ];
}

function openTimed(instance: Scope, round: number): { scope: Scope; ms: number } {
  const startedAt = performance.now();
  const scope = instance.openChild(`blocking-${round}`, LIMITS);
  return { scope, ms: performance.now() - startedAt };
}

function distinctFolders(scope: Scope): string[] {
  return [...new Set(Object.values(scope.record.folders))];
}

function timedEach(folders: readonly string[], act: (folder: string) => unknown): number {
  const startedAt = performance.now();
  for (const folder of folders) act(folder);
  return performance.now() - startedAt;
}

function result(what: string, values: readonly number[], floors: readonly number[], floorIs: string): Result {
  return {
    name: `event loop blocked to ${what} the scope of a step (p95)`,
    unit: 'ms',
    value: p95(values),
    floor: p95(floors),
    floorIs,
    bar: { of: 'value', atMost: 1 },
    rounds: ROUNDS,
    note: `median ${median(values).toFixed(2)} ms; on a busy machine the p95 holds the time that others ran`,
  };
}
