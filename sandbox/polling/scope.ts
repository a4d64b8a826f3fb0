import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import type {
  Breach,
  CommandSpec,
  IoBytes,
  KillOptions,
  KillReport,
  LaunchPlan,
  Scope,
  ScopeLimits,
  ScopeRecord,
  Usage,
} from '../isolation.ts';
import { JointKill, signal } from '../kill-ladder.ts';
import { assertScopeName } from '../names.ts';
import { ProcessIo } from '../process-io.ts';
import { barePlan, MARKER } from '../shim.ts';
import { type Duty, FRESH_DUTY, nextDuty } from './duty-cycle.ts';
import { Members } from './members.ts';
import { type Sample, Sampler } from './sampler.ts';
import { PollingTarget } from './target.ts';

const FREEZE_PASSES_MAX = 50;
const UNLIMITED: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };

/**
 * A scope without cgroups: processes are found again by marker, group and parent; memory and process count are
 * watched and reported as a breach (what was seen is stopped, the owner kills); CPU is held by SIGSTOP and SIGCONT, which a parent may notice.
 */
export class PollingScope implements Scope {
  readonly record: ScopeRecord;
  readonly #limits: ScopeLimits;
  readonly #members: Members;
  readonly #target: PollingTarget;
  readonly #sampler: Sampler;
  readonly #io = new ProcessIo();
  readonly #killing = new JointKill();
  readonly #listeners = new Set<(breach: Breach) => void>();
  #duty: Duty = FRESH_DUTY;
  #heldSeconds = 0;
  #isFrozen = false;
  /** More than its memory or processes was seen: it waits, stopped, for its owner to kill it. */
  #isBreached = false;

  constructor(record: ScopeRecord, limits: ScopeLimits) {
    this.record = record;
    this.#limits = limits;
    this.#members = new Members(record.marker);
    this.#target = new PollingTarget(this.#members);
    this.#sampler = new Sampler(this.#members, limits, (sample) => this.#act(sample));
  }

  openChild(name: string, limits: ScopeLimits): Scope {
    assertScopeName(name);
    this.#killing.assertOpen(this.record.name);
    return new PollingScope(
      { ...this.record, name: `${this.record.name}/${name}`, marker: `${this.record.marker}/${name}` },
      limits,
    );
  }

  plan(command: CommandSpec): LaunchPlan {
    this.#killing.assertOpen(this.record.name);
    return barePlan(command, this.record.marker);
  }

  attach(pid: number): void {
    this.#members.attach(pid);
    this.#sampler.start();
  }

  /** Starts the watch of a scope whose processes were started by another process of ours. */
  watch(): void {
    this.#sampler.start('late');
  }

  /** Memory, CPU and peaks as of the last sample; the number of processes as of now unless `quick`. */
  usage(detail: 'quick' | 'full' = 'full'): Usage {
    const usage = { ...this.#sampler.usage, cpuThrottledSeconds: this.#heldSeconds };
    if (detail === 'quick') return usage;
    const processes = this.#members.scan('quick').length;
    return { ...usage, processes, processesPeak: Math.max(usage.processesPeak, processes) };
  }

  /** As of the processes of the last sample; all are looked for only when there is none. */
  io(): IoBytes | null {
    const pids = this.#sampler.pids;
    return this.#io.look(pids.length > 0 ? pids : this.#members.scan('quick'));
  }

  ownOomKills(): number {
    return 0;
  }

  pids(): number[] {
    return this.#target.pids();
  }

  whenEmpty(abort: AbortSignal): Promise<void> {
    return this.#target.whenEmpty(abort);
  }

  kill(options: KillOptions): Promise<KillReport> {
    // No duty cycle meanwhile: a held tree could not act on SIGTERM.
    this.#sampler.stop();
    this.#isFrozen = false;
    this.#duty = FRESH_DUTY;
    return this.#killing.climb(this.#target, options);
  }

  /** Stops what is found until two looks find nothing new. Gives up quietly after 50 looks at a tree that outruns it. */
  async freeze(): Promise<void> {
    this.#isFrozen = true;
    const stopped = new Set<number>();
    for (let pass = 0, cleanPasses = 0; pass < FREEZE_PASSES_MAX && cleanPasses < 2; pass += 1) {
      const fresh = this.pids().filter((pid) => !stopped.has(pid));
      for (const pid of fresh) {
        signal(pid, 'SIGSTOP');
        stopped.add(pid);
      }
      cleanPasses = fresh.length === 0 ? cleanPasses + 1 : 0;
      await delay(1);
    }
  }

  async thaw(): Promise<void> {
    this.#isFrozen = false;
    this.#duty = FRESH_DUTY;
    await this.#target.release();
  }

  async remove(): Promise<void> {
    const pids = this.pids();
    if (pids.length > 0) {
      throw new WorkflowError(
        'SCOPE_FAILED',
        `Scope "${this.record.name}" cannot be removed: ${pids.length} processes.`,
        {
          details: { pids: pids.slice(0, 20) },
          hint: 'Kill the scope first.',
        },
      );
    }
    this.close();
  }

  onBreach(listener: (breach: Breach) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#sampler.stop();
    // Nobody would let a held tree go on after us.
    if ((this.#duty.isHeld || this.#isBreached) && !this.#isFrozen)
      for (const pid of this.pids()) signal(pid, 'SIGCONT');
    this.#duty = FRESH_DUTY;
  }

  #act(sample: Sample): void {
    const { memoryBytes, processes, cpuPercent } = this.#limits;
    const breaches: Breach[] = [];
    if (memoryBytes !== null && sample.memoryBytes > memoryBytes)
      breaches.push({ limit: 'memory', allowed: memoryBytes, seen: sample.memoryBytes });
    if (processes !== null && sample.pids.length > processes)
      breaches.push({ limit: 'processes', allowed: processes, seen: sample.pids.length });
    if (breaches.length > 0) this.#report(sample, breaches);
    else if (cpuPercent !== null && !this.#isFrozen) this.#holdCpu(sample, cpuPercent);
  }

  #holdCpu(sample: Sample, percent: number): void {
    const before = this.#duty;
    if (before.isHeld) this.#heldSeconds += sample.elapsedMs / 1000;
    this.#duty = nextDuty(before, sample.elapsedMs, sample.usedMs, percent);
    if (this.#duty.isHeld) for (const pid of sample.pids) signal(pid, 'SIGSTOP');
    else if (before.isHeld) for (const pid of sample.pids) signal(pid, 'SIGCONT');
  }

  /** Stops what was seen before anybody is told: until the kill has found all of the tree, a hog takes 20 MiB more. */
  #report(sample: Sample, breaches: readonly Breach[]): void {
    if (this.#listeners.size > 0) {
      this.#isBreached = true;
      for (const pid of sample.pids) signal(pid, 'SIGSTOP');
    }
    for (const breach of breaches) for (const listener of this.#listeners) listener(breach);
  }
}

/** The scope of a record while a process of it is alive, else null. Without `limits` it is only listed and killed. */
export function reopenPollingScope(
  record: ScopeRecord,
  limits: ScopeLimits = UNLIMITED,
): PollingScope | null {
  const scope = new PollingScope(record, limits);
  if (scope.pids().length === 0) return record.marker === process.env[MARKER] ? scope : null;
  if (limits !== UNLIMITED) scope.watch();
  return scope;
}
