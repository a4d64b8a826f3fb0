import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { ensureError, systemCode, WorkflowError } from '../../src/errors/workflow-error.ts';
import { Attached } from '../attached.ts';
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
import { JointKill } from '../kill-ladder.ts';
import { assertScopeName } from '../names.ts';
import { shimPlan } from '../shim.ts';
import { below, distinct, removeTree, removeTreeLater } from './folders.ts';
import { freezeWhole, thaw } from './freezer.ts';
import { CgroupTarget } from './target.ts';
import { type CgroupVersion, type Meter, NO_LIMITS, type Role } from './version.ts';
import { watchVictims } from './victims.ts';

/** Leaf of an instance's scope for its own process: v2 allows no process beside children. */
export const HOST = 'host';
const REMOVE_TIMEOUT_MS = 1000;

/** A scope in cgroup folders; the same for v1 and v2. Make it with `createScope` or `reopenCgroupScope`. */
export class CgroupScope implements Scope {
  readonly record: ScopeRecord;
  readonly #version: CgroupVersion;
  readonly #role: Role;
  readonly #attached = new Attached();
  readonly #killing = new JointKill();
  readonly #target: CgroupTarget;
  readonly #meter: Meter;
  /** Where the scope's own processes are: for an instance a leaf, without the steps. */
  readonly #ownMeter: Meter;

  readonly #onRemoved: () => void;

  constructor(version: CgroupVersion, record: ScopeRecord, onRemoved: () => void = () => undefined) {
    this.record = record;
    this.#onRemoved = onRemoved;
    this.#version = version;
    this.#role = roleOf(record);
    this.#target = new CgroupTarget(record.folders, version.processFolder(record.folders), this.#attached);
    this.#meter = version.openMeter(record.folders);
    this.#ownMeter = this.#role === 'instance' ? version.openMeter(below(record.folders, HOST)) : this.#meter;
  }

  openChild(name: string, limits: ScopeLimits): Scope {
    assertScopeName(name);
    this.#killing.assertOpen(this.record.name);
    if (name === HOST) throw new WorkflowError('SCOPE_FAILED', `A scope cannot be named "${HOST}".`);
    const { backend, folders, marker } = this.record;
    const child = {
      backend,
      name: `${this.record.name}/${name}`,
      folders: below(folders, name),
      marker: `${marker}/${name}`,
    };
    return createScope(this.#version, child, limits, () => this.#version.prepareParent(folders));
  }

  plan(command: CommandSpec): LaunchPlan {
    this.#killing.assertOpen(this.record.name);
    const { folders, marker } = this.record;
    const isInstance = this.#role === 'instance';
    const home = isInstance ? below(folders, HOST) : folders;
    return shimPlan(command, marker, this.#version.join(home, isInstance ? 'host' : this.#role));
  }

  attach(pid: number): void {
    this.#attached.add(pid);
  }

  usage(detail: 'quick' | 'full' = 'full'): Usage {
    return this.#meter.usage(detail);
  }

  io(): IoBytes | null {
    return this.#meter.io();
  }

  ownOomKills(): number {
    return this.#ownMeter.usage('full').oomKills;
  }

  pids(): number[] {
    return this.#target.pids();
  }

  whenEmpty(signal: AbortSignal): Promise<void> {
    return this.#target.whenEmpty(signal);
  }

  kill(options: KillOptions): Promise<KillReport> {
    return this.#killing.climb(this.#target, options);
  }

  freeze(): Promise<void> {
    return freezeWhole(this.record.name, this.record.folders);
  }

  async thaw(): Promise<void> {
    thaw(this.record.folders);
  }

  async remove(): Promise<void> {
    const deadline = performance.now() + REMOVE_TIMEOUT_MS;
    // EBUSY may last a moment after the last exit, while the kernel still takes the tasks off its lists.
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 100)) {
      const left = this.pids();
      // The last look at the counters opens ten files: others have their turn before it.
      await nextTurn();
      const busy = left.length > 0 ? new Error('processes are left') : await this.#tryRemove();
      if (busy === null) break;
      if (left.length > 0 || performance.now() > deadline) {
        throw new WorkflowError(
          'SCOPE_FAILED',
          `Scope "${this.record.name}" cannot be removed: ${left.length} processes.`,
          {
            details: { pids: left.slice(0, 20) },
            hint: 'Kill the scope first.',
            cause: busy,
          },
        );
      }
      await delay(pauseMs);
    }
    this.close();
    this.#onRemoved();
  }

  onBreach(listener: (breach: Breach) => void): () => void {
    const { memory } = this.record.folders;
    // The kernel holds the limits, but on v1 it leaves the rest of a step alive. Of an instance that rest is its own process.
    if (this.#role !== 'step' || this.#version.endsWholeSteps || memory === undefined) return () => undefined;
    return watchVictims(memory, () => {
      const seen = this.usage().memoryPeakBytes;
      listener({ limit: 'memory', allowed: seen, seen });
    });
  }

  close(): void {
    this.#meter.close();
    if (this.#ownMeter !== this.#meter) this.#ownMeter.close();
  }

  async #tryRemove(): Promise<Error | null> {
    try {
      // Counters live in the folders: look at them once more before they go.
      this.#meter.usage('full');
      if (this.#ownMeter !== this.#meter) this.#ownMeter.usage('full');
      await Promise.all(distinct(this.record.folders).map(removeTreeLater));
      return null;
    } catch (error) {
      if (systemCode(error) !== 'EBUSY') throw error;
      return ensureError(error);
    }
  }
}

/** Makes the cgroups of a new scope, whole or not at all. Throws SCOPE_FAILED. */
export function createScope(
  version: CgroupVersion,
  record: ScopeRecord,
  limits: ScopeLimits,
  prepareParent: () => void,
): CgroupScope {
  try {
    prepareParent();
    const role = roleOf(record);
    version.create(record.folders, limits, role);
    if (role === 'instance') createHost(version, record);
  } catch (error) {
    const cause = ensureError(error);
    throw new WorkflowError('SCOPE_FAILED', `Scope "${record.name}" could not be made: ${cause.message}.`, {
      hint:
        systemCode(error) === 'EEXIST'
          ? 'A scope of that name exists: kill and remove it first.'
          : 'Run q workflow doctor.',
      cause,
    });
  }
  return new CgroupScope(version, record);
}

function createHost(version: CgroupVersion, record: ScopeRecord): void {
  try {
    version.prepareParent(record.folders);
    version.create(below(record.folders, HOST), NO_LIMITS, 'host');
  } catch (error) {
    for (const folder of distinct(record.folders)) removeTree(folder);
    throw error;
  }
}

/** Scopes at the top are instances, those below them steps. */
function roleOf(record: ScopeRecord): Role {
  return record.name.includes('/') ? 'step' : 'instance';
}
