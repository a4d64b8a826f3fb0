import { readdirSync, readFileSync } from 'node:fs';
import type { Breach, KillOptions, KillReport, LaunchPlan, Scope, Usage } from '../../sandbox/isolation.ts';
import { systemCode } from '../../src/errors/workflow-error.ts';

const NO_USAGE: Usage = {
  memoryBytes: 0,
  memoryPeakBytes: 0,
  cpuSeconds: 0,
  cpuThrottledSeconds: 0,
  processes: 0,
  processesPeak: 0,
  oomKills: 0,
  forksRefused: 0,
};

/** A scope that holds the process groups of what was started in it; good enough where nothing calls setsid. */
export class FakeScope implements Scope {
  readonly record = { backend: 'polling', name: 'fake', folders: {}, marker: 'fake' } as const;
  readonly kills: KillOptions[] = [];
  groups: number[] = [];
  usageNow: Usage = NO_USAGE;
  isRemoved = false;
  /** Why it cannot be removed, if it cannot. */
  removal: Error | null = null;
  breached: (breach: Breach) => void = () => undefined;

  openChild(): Scope {
    return new FakeScope();
  }

  plan(command: LaunchPlan): LaunchPlan {
    return command;
  }

  attach(pid: number): void {
    this.groups.push(pid);
  }

  usage(): Usage {
    return this.usageNow;
  }

  pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => this.groups.includes(groupOf(pid)));
  }

  async kill(options: KillOptions): Promise<KillReport> {
    this.kills.push(options);
    const found = this.pids();
    this.#signal('SIGTERM');
    const isEmpty = await this.#emptyWithin(options.graceMs);
    const killedCount = isEmpty ? 0 : this.pids().length;
    if (!isEmpty) {
      this.#signal('SIGKILL');
      await this.#emptyWithin(options.timeoutMs);
    }
    return { found, foundCount: found.length, killedCount, survivors: this.pids(), durationMs: 0 };
  }

  whenEmpty(): Promise<void> {
    return Promise.reject(new Error('not used here'));
  }

  close(): void {
    // Nothing is kept open.
  }

  freeze(): Promise<void> {
    return Promise.resolve();
  }

  thaw(): Promise<void> {
    return Promise.resolve();
  }

  remove(): Promise<void> {
    if (this.removal !== null) return Promise.reject(this.removal);
    this.isRemoved = true;
    return Promise.resolve();
  }

  io(): null {
    return null;
  }

  ownOomKills(): number {
    return this.usageNow.oomKills;
  }

  onBreach(listener: (breach: Breach) => void): () => void {
    this.breached = listener;
    return () => undefined;
  }

  #signal(signal: NodeJS.Signals): void {
    for (const group of this.groups) {
      try {
        process.kill(-group, signal);
      } catch (error) {
        if (systemCode(error) !== 'ESRCH') throw error;
      }
    }
  }

  /** There is no event for the end of a foreign group: this looks again, with a bound. */
  async #emptyWithin(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    while (this.pids().length > 0) {
      if (performance.now() > until) return false;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }
}

/** The group of a live process; 0 for one that is gone or a zombie. */
function groupOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 0 : Number(fields[2]);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    return 0;
  }
}
