import { createHash } from 'node:crypto';
import { WorkflowError } from '../src/errors/workflow-error.ts';
import { cgroupAdvice, cgroupMachine, POLLING_ASKED } from './cgroup-advice.ts';
import { CgroupIsolation } from './cgroupfs/isolation.ts';
import type { ProbeResult } from './cgroupfs/probe.ts';
import { probeV1 } from './cgroupfs/probe-v1.ts';
import { probeV2 } from './cgroupfs/probe-v2.ts';
import type { Isolation } from './isolation.ts';
import { PollingIsolation } from './polling/isolation.ts';

export interface IsolationOptions {
  /** Absolute path of the state folder; its hash names our folders, so that homes do not touch each other's scopes. */
  readonly home: string;
  /** `cgroup` = v2 or v1, or refuse. */
  readonly requested: 'auto' | 'cgroup' | 'polling';
}

/**
 * The strongest isolation that works in the own cgroup, found by doing: cgroup v2 when delegated, cgroup v1, polling.
 * Takes a few milliseconds and leaves our empty parent folders; `close` of the result removes them. Throws
 * ISOLATION_MISSING when cgroups are asked for and none can be used. A supervisor uses `openIsolation`, which knows
 * when the own cgroup is systemd's.
 */
export function chooseIsolation(options: IsolationOptions): Isolation {
  return chooseAmong(options, [probeV2, probeV1]);
}

/** The same with the given ways to use cgroups, best first. */
export function chooseAmong(
  options: IsolationOptions,
  probes: readonly ((key: string) => ProbeResult)[],
): Isolation {
  const key = homeKey(options.home);
  if (options.requested === 'polling') return new PollingIsolation(key, [POLLING_ASKED]);
  const problems: string[] = [];
  for (const probe of process.platform === 'linux' ? probes : []) {
    const result = probe(key);
    if (result.ground !== null) return new CgroupIsolation(result.ground, key);
    problems.push(result.problem);
  }
  if (problems.length === 0) problems.push(`cgroups are a part of Linux; this is ${process.platform}.`);
  if (options.requested === 'auto') return new PollingIsolation(key, problems);
  throw new WorkflowError('ISOLATION_MISSING', `No cgroup can be used here. ${problems.join(' ')}`, {
    hint: `${cgroupAdvice(problems, cgroupMachine())}, or allow polling: --isolation auto.`,
    details: { problems },
  });
}

/** Eight characters that stand for a home. */
export function homeKey(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 8);
}
