import type { Isolation, IsolationReport, Scope, ScopeLimits, ScopeRecord } from '../isolation.ts';
import { assertScopeName } from '../names.ts';
import { reopenPollingScope } from '../polling/scope.ts';
import { below, childNames, distinct, type Folders, removeEmptyPlace, removeLeftProbes } from './folders.ts';
import { reopenCgroupScope } from './reopen.ts';
import { createScope } from './scope.ts';
import type { CgroupVersion } from './version.ts';

/** What a probe found usable. */
export interface Ground {
  readonly version: CgroupVersion;
  /** Our folder `…/q-workflow/<key>` by controller. */
  readonly parents: Folders;
  /** The same for other places where an earlier supervisor of this home may have left scopes. */
  readonly others: readonly Folders[];
  readonly report: IsolationReport;
}

/** Who keeps the cgroups around ours in being, where somebody else would remove them. */
export interface Keeper {
  /** A scope that was reopened is removed; `folder` was its own. */
  scopeRemoved(folder: string): void;
  close(): void;
}

/** Isolation by cgroups. `key` stands for the home; scopes of other homes are never touched. */
export class CgroupIsolation implements Isolation {
  readonly report: IsolationReport;
  readonly #key: string;
  readonly #keeper: Keeper | null;
  #ground: Ground;

  constructor(ground: Ground, key: string, keeper: Keeper | null = null) {
    this.report = ground.report;
    this.#ground = ground;
    this.#key = key;
    this.#keeper = keeper;
  }

  /** Scopes that are opened from now on lie in other folders; the report stays. */
  moveTo(ground: Ground): void {
    this.#ground = ground;
  }

  openScope(name: string, limits: ScopeLimits): Scope {
    assertScopeName(name);
    const { version, parents } = this.#ground;
    return createScope(version, this.#recordOf(name, below(parents, name)), limits, () =>
      version.prepareParent(parents),
    );
  }

  reopenScope(record: ScopeRecord, limits?: ScopeLimits): Scope | null {
    // An earlier supervisor may have found no cgroups.
    if (record.backend === 'polling') return reopenPollingScope(record, limits);
    const [folder = ''] = distinct(record.folders);
    return reopenCgroupScope(record, () => this.#keeper?.scopeRemoved(folder));
  }

  listScopes(): readonly ScopeRecord[] {
    const found = new Map<string, Record<string, string>>();
    for (const parents of [this.#ground.parents, ...this.#ground.others]) {
      for (const [controller, parent] of Object.entries(parents)) {
        for (const name of childNames(parent)) {
          if (name.startsWith('.')) continue;
          const folders = found.get(name) ?? {};
          folders[controller] ??= `${parent}/${name}`;
          found.set(name, folders);
        }
      }
    }
    return [...found].map(([name, folders]) => this.#recordOf(name, folders));
  }

  close(): void {
    for (const parents of [this.#ground.parents, ...this.#ground.others]) {
      for (const parent of distinct(parents)) {
        removeLeftProbes(parent);
        removeEmptyPlace(parent);
      }
    }
    this.#keeper?.close();
  }

  #recordOf(name: string, folders: Folders): ScopeRecord {
    return { backend: this.#ground.version.backend, name, folders, marker: `${this.#key}/${name}` };
  }
}
