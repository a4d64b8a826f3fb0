/**
 * What the operating system does for us, behind one interface: a scope holds all processes of one instance or one
 * step attempt, limits them, counts what they use and ends them whole. One file per implementation; `choose` probes
 * them by doing and picks one for the life of the supervisor.
 */

export type BackendName = 'cgroup-v2' | 'cgroup-v1' | 'polling';
export type LimitName = 'memory' | 'cpu' | 'processes' | 'io' | 'time' | 'disk';

export interface IsolationReport {
  readonly backend: BackendName;
  /** Held by the kernel. */
  readonly enforced: readonly LimitName[];
  /** Watched from outside and acted on late. */
  readonly observed: readonly LimitName[];
  /** One line each: what is missing here and what to install or set. */
  readonly missing: readonly string[];
}

export interface ScopeLimits {
  /** Bytes of the whole tree; swap is not allowed on top. Null = only the parent's. */
  readonly memoryBytes: number | null;
  /** Percent of one core: 150 is one core and a half. */
  readonly cpuPercent: number | null;
  readonly processes: number | null;
  /** Bytes a second, for reading and for writing each, of each whole disk. Only some grounds hold it. */
  readonly ioBytesPerSecond?: number | null;
}

/** Enough to find a scope again in another process or after a restart; plain JSON. */
export interface ScopeRecord {
  readonly backend: BackendName;
  readonly name: string;
  /** Folders by controller (v1: memory, cpu, cpuacct, pids, freezer, unified; v2: unified). Empty for polling. */
  readonly folders: Readonly<Record<string, string>>;
  /** Value of the marker variable Q_WORKFLOW_SCOPE that each process of the scope carries. */
  readonly marker: string;
}

export interface Usage {
  readonly memoryBytes: number;
  readonly memoryPeakBytes: number;
  readonly cpuSeconds: number;
  readonly cpuThrottledSeconds: number;
  readonly processes: number;
  readonly processesPeak: number;
  /** Processes that the kernel killed for memory so far (v2 may count more than one for one kill: compare, do not add). */
  readonly oomKills: number;
  /** Starts refused because of the process limit. */
  readonly forksRefused: number;
}

/** What a tree moved so far between memory and disks; what came from the page cache is not in it. */
export interface IoBytes {
  readonly readBytes: number;
  /** Without what was thrown away before it reached a disk, where that is known. */
  readonly writtenBytes: number;
}

/** What to start. No shell is involved; every value is passed as it is. */
export interface CommandSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the command: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Set before the command is executed; a hard limit that is lower already stays. */
  readonly limits?: { readonly coreBytes: 0; readonly openFiles: number };
}

/** A command wrapped so that it is in its scope before any of its own code runs. Spawn it with `detached: true`. */
export interface LaunchPlan {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KillOptions {
  /** Time between SIGTERM and the kill; 0 = kill at once. */
  readonly graceMs: number;
  /** How long to wait for the scope to be empty after the kill. */
  readonly timeoutMs: number;
}

export interface KillReport {
  /** Pids that were in the scope when the kill began (at most 1,000 are listed). */
  readonly found: readonly number[];
  readonly foundCount: number;
  /** Processes that did not end on SIGTERM and were killed. */
  readonly killedCount: number;
  /** Pids still there at the end; empty unless something is stuck in the kernel. */
  readonly survivors: readonly number[];
  readonly durationMs: number;
}

export interface Scope {
  readonly record: ScopeRecord;
  /** Makes a scope below this one. `name` is [A-Za-z0-9_.-]+; throws SCOPE_FAILED. Synchronous: control files are fast. */
  openChild(name: string, limits: ScopeLimits): Scope;
  /** Throws SCOPE_FAILED once `kill` was called, as `openChild` does: what is being ended gets nothing new. */
  plan(command: CommandSpec): LaunchPlan;
  /**
   * Tells the scope the pid that a plan was started as. Call it in the same tick as the spawn: until the shim has
   * joined, it is the only thing that `kill` and `whenEmpty` know of it, and the polling backend finds the tree by it.
   */
  attach(pid: number): void;
  /**
   * What the tree uses; last known values once the scope is gone. `quick` reads memory, CPU time and process count
   * only (for sampling at 4 Hz) and repeats the rest as last seen, peaks raised by what it sees itself. Polling
   * answers with its last sample.
   */
  usage(detail?: 'quick' | 'full'): Usage;
  /**
   * Bytes that the tree read from and wrote to disks so far, last known once the scope is gone; null where nobody can
   * tell. One read where the kernel adds them up, else one for each process: not for every look.
   */
  io(): IoBytes | null;
  /**
   * Processes that the kernel killed for memory among those planned by this very scope, those of its children left
   * out: for an instance, whether its own process was. Last known value once the scope is gone; 0 for polling.
   */
  ownOomKills(): number;
  pids(): number[];
  /** Resolves when no process is left in the scope and its children; event-driven where the kernel tells. */
  whenEmpty(signal: AbortSignal): Promise<void>;
  /**
   * Ends every process of the scope. Never throws for a process that is gone. Several calls join the first, but one
   * with a shorter grace goes ahead at once.
   */
  kill(options: KillOptions): Promise<KillReport>;
  /** Stops all processes where they are / lets them go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Removes an empty scope and its children; retries EBUSY for a bounded time; throws SCOPE_FAILED if not empty. */
  remove(): Promise<void>;
  /**
   * Called with the observed breach; cgroups enforce by themselves, but on v1 the kernel kills one process of a step
   * that is at the memory limit, and the step's owner hears of it here to end the rest. Returns an unsubscribe.
   */
  onBreach(listener: (breach: Breach) => void): () => void;
  /** Lets go of descriptors, watches and timers of this object; the processes and their limits stay. */
  close(): void;
}

export interface Breach {
  readonly limit: LimitName;
  readonly allowed: number;
  readonly seen: number;
}

export interface Isolation {
  readonly report: IsolationReport;
  /** A scope at the top for one instance. */
  openScope(name: string, limits: ScopeLimits): Scope;
  /**
   * The scope of a record, of whatever backend, or null when it is gone. `limits` are for polling, which cannot ask
   * the kernel for them.
   */
  reopenScope(record: ScopeRecord, limits?: ScopeLimits): Scope | null;
  /** Names of scopes of this home that exist in the kernel now: to sweep leftovers of a crashed supervisor. */
  listScopes(): readonly ScopeRecord[];
  /** Removes our parent folders where nothing is left in them. Scopes that exist stay. */
  close(): void;
}
