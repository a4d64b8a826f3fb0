import type { Isolation, IsolationReport, Scope, ScopeLimits, ScopeRecord } from '../isolation.ts';
import { assertScopeName } from '../names.ts';
import { reopenScope } from '../reopen.ts';
import { markerOf, readProcesses } from './process-table.ts';
import { PollingScope } from './scope.ts';

/** Isolation where there are no cgroups: watched from outside, acted on late, and reported as such. */
export class PollingIsolation implements Isolation {
  readonly report: IsolationReport;
  readonly #key: string;

  constructor(key: string, missing: readonly string[]) {
    this.#key = key;
    this.report = {
      backend: 'polling',
      enforced: [],
      observed: ['memory', 'cpu', 'processes', 'time', 'disk'],
      missing: [...missing, 'Limits are observed by polling: a process may pass them for up to 250 ms.'],
    };
  }

  openScope(name: string, limits: ScopeLimits): Scope {
    assertScopeName(name);
    return new PollingScope(this.#recordOf(name), limits);
  }

  reopenScope(record: ScopeRecord, limits?: ScopeLimits): Scope | null {
    return reopenScope(record, limits);
  }

  listScopes(): readonly ScopeRecord[] {
    const names = new Set<string>();
    for (const { pid } of readProcesses()) {
      const [key, name] = markerOf(pid)?.split('/') ?? [];
      if (key === this.#key && name !== undefined) names.add(name);
    }
    return [...names].map((name) => this.#recordOf(name));
  }

  close(): void {
    // Nothing of ours is in the kernel.
  }

  #recordOf(name: string): ScopeRecord {
    return { backend: 'polling', name, folders: {}, marker: `${this.#key}/${name}` };
  }
}
