import { existsSync } from 'node:fs';
import type { ScopeRecord } from '../isolation.ts';
import { distinct } from './folders.ts';
import { CgroupScope } from './scope.ts';
import { V1 } from './v1.ts';
import { V2 } from './v2.ts';

/** The scope of a record, without probing anything; null when none of its folders is there. */
export function reopenCgroupScope(record: ScopeRecord, onRemoved?: () => void): CgroupScope | null {
  if (!distinct(record.folders).some((folder) => existsSync(folder))) return null;
  return new CgroupScope(record.backend === 'cgroup-v2' ? V2 : V1, record, onRemoved);
}
