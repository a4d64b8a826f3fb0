import type { ScopeLimits } from '../../sandbox/isolation.ts';
import type { Skill } from './skill.ts';

/** The time one attempt may take: the smallest of the step's, the skill's `timeout` and its `max_execution_time`. */
export function skillTimeoutMs(skill: Skill, stepTimeoutMs: number | null): number | null {
  const given = [stepTimeoutMs, skill.timeoutMs, skill.limits.maxExecutionTimeMs].filter((ms) => ms !== null);
  return given.length === 0 ? null : Math.min(...given);
}

/** The limits of a scope for one attempt of this skill: its own, within those of the instance around it. */
export function skillScopeLimits(skill: Skill): ScopeLimits {
  return {
    memoryBytes: skill.limits.maxMemoryBytes,
    cpuPercent: skill.limits.maxCpuPercent,
    processes: null,
  };
}
