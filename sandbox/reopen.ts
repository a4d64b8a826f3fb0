import { reopenCgroupScope } from './cgroupfs/reopen.ts';
import type { Scope, ScopeLimits, ScopeRecord } from './isolation.ts';
import { reopenPollingScope } from './polling/scope.ts';

/**
 * The scope of a record that another process made, without probing the machine: an instance process opens its own so,
 * at its start. Null when the scope is gone. `limits` are needed by polling only, which has no kernel to ask for them.
 */
export function reopenScope(record: ScopeRecord, limits?: ScopeLimits): Scope | null {
  return record.backend === 'polling' ? reopenPollingScope(record, limits) : reopenCgroupScope(record);
}
