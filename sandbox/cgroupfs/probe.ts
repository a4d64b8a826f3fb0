import { mkdirSync, rmdirSync } from 'node:fs';
import { ensureError } from '../../src/errors/workflow-error.ts';
import type { LimitName } from '../isolation.ts';
import { readControl, writeControl } from './control-file.ts';
import { probeFolder, removeLeftProbes } from './folders.ts';
import type { Ground } from './isolation.ts';

/** What came out of a look at one version of cgroups: ground to build on, or why not. */
export type ProbeResult = { readonly ground: Ground } | { readonly ground: null; readonly problem: string };

/** A control file to try: what is written must be what a line of it begins with when it is read. */
export interface Trial {
  readonly file: string;
  readonly value: string;
}

/**
 * Tries one place by doing: makes `parent` and a cgroup in it, writes a limit, reads it back, removes the cgroup.
 * Answers null when it works, else why it does not. `parent` stays when it works.
 */
export function tryPlace(parent: string, trials: readonly Trial[]): string | null {
  const folder = probeFolder(parent);
  try {
    removeLeftProbes(parent);
    mkdirSync(folder, { recursive: true });
    try {
      for (const { file, value } of trials) {
        if (!writeControl(`${folder}/${file}`, value)) return `${folder} has no ${file}`;
        const seen = readControl(`${folder}/${file}`)?.trim() ?? '';
        if (!seen.split('\n').some((line) => `${line} `.startsWith(`${value} `)))
          return `${folder}/${file} reads "${seen}" after "${value}" was written`;
      }
      return null;
    } finally {
      rmdirSync(folder);
    }
  } catch (error) {
    return ensureError(error).message;
  }
}

/** Limits by the controller that the kernel needs for them. */
export const CONTROLLER_LIMITS: readonly (readonly [controller: string, limit: LimitName])[] = [
  ['memory', 'memory'],
  ['cpu', 'cpu'],
  ['pids', 'processes'],
];

/** Our folder below a cgroup: one for each home. */
export function homeFolder(cgroup: string, key: string): string {
  return `${cgroup}/q-workflow/${key}`;
}

/** What keeps which controller of cgroup v1 from us: a line for each cause, with the path of its first controller: most often all have the same one. */
export function problemLines(failures: ReadonlyMap<string, string>): string[] {
  const causes = new Map<string, { readonly first: string; readonly controllers: string[] }>();
  for (const [controller, problem] of failures) {
    const cause = problem.replace(/'[^']*'/g, '');
    const known = causes.get(cause);
    if (known === undefined) causes.set(cause, { first: problem, controllers: [controller] });
    else known.controllers.push(controller);
  }
  return [...causes.values()].map(
    ({ first, controllers }) => `cgroup v1 ${controllers.join(', ')}: ${first}.`,
  );
}
