import type { BackendName, IoBytes, ScopeLimits, Usage } from '../isolation.ts';
import type { JoinPlan } from '../shim.ts';
import type { Folders } from './folders.ts';

/** An instance's scope holds step scopes and a `host` leaf; a step's scope holds processes. */
export type Role = 'instance' | 'host' | 'step';

/** Reads the counters of one scope from kept-open control files. */
export interface Meter {
  /** Last known values once the scope is gone. */
  usage(detail: 'quick' | 'full'): Usage;
  io(): IoBytes | null;
  close(): void;
}

/** What differs between cgroup v1 and v2. Stateless: everything is in the folders. */
export interface CgroupVersion {
  readonly backend: BackendName;
  /** Whether the kernel ends all of a step when it kills one of its processes for memory. */
  readonly endsWholeSteps: boolean;
  /** Makes a new cgroup with its limits, whole or not at all; throws the system error. */
  create(folders: Folders, limits: ScopeLimits, role: Role): void;
  /** Readies a scope for children; called before each. */
  prepareParent(folders: Folders): void;
  join(folders: Folders, role: Role): JoinPlan;
  openMeter(folders: Folders): Meter;
  /** The hierarchy whose cgroup.procs lists the processes. */
  processFolder(folders: Folders): string;
}

/** OOM scores: of a whole tree at its memory limit, a step dies before the instance's own process. */
export function oomScoreOf(role: Role): number {
  return role === 'step' ? 500 : 0;
}

export const NO_LIMITS: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };

/** Microseconds of CPU time in each period of 100 ms; the kernel takes no less than 1 ms. */
export const CPU_PERIOD_US = 100_000;
export function cpuQuotaUs(cpuPercent: number): number {
  return Math.max(1000, Math.round((cpuPercent * CPU_PERIOD_US) / 100));
}
