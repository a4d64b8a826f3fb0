import type { Isolation, IsolationReport, Scope, ScopeLimits, ScopeRecord } from '../isolation.ts';
import { assertScopeName } from '../names.ts';
import { below, childNames, distinct, type Folders, removeEmptyPlace } from './folders.ts';
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

/** Isolation by cgroups. `key` stands for the home; scopes of other homes are never touched. */
export class CgroupIsolation implements Isolation {
  readonly report: IsolationReport;
  readonly #ground: Ground;
  readonly #key: string;

  constructor(ground: Ground, key: string) {
    this.report = ground.report;
    this.#ground = ground;
    this.#key = key;
  }

  openScope(name: string, limits: ScopeLimits): Scope {
    assertScopeName(name);
    const { version, parents } = this.#ground;
    return createScope(version, this.#recordOf(name, below(parents, name)), limits, () =>
      version.prepareParent(parents),
    );
  }

  reopenScope(record: ScopeRecord): Scope | null {
    return reopenCgroupScope(record);
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
      for (const parent of distinct(parents)) removeEmptyPlace(parent);
    }
  }

  #recordOf(name: string, folders: Folders): ScopeRecord {
    return { backend: this.#ground.version.backend, name, folders, marker: `${this.#key}/${name}` };
  }
}
