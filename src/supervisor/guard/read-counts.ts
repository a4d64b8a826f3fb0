import {
  type Allowed,
  countAllowed,
  countEvent,
  NOTHING_COUNTED,
  type RunCounts,
} from '../../guard/run-counts.ts';
import type { AuditPage } from '../../store/audit-reader.ts';
import type { Store } from '../../store/store.ts';

/** What was used, from the audit records of the run: no crash or restart gives any of it back. */
export async function readCounts(store: Store, instance: string): Promise<RunCounts> {
  let counts = NOTHING_COUNTED;
  const query = { order: 'oldest', limit: 500, since: null, until: null, type: null, instance } as const;
  for (let from: number | null = 0; from !== null; ) {
    const page: AuditPage = await store.call('audit.read', { ...query, from });
    for (const { body } of page.rows) {
      const { type, at, data } = JSON.parse(body) as {
        type: string;
        at: number;
        data: Record<string, unknown>;
      };
      counts = countEvent(counts, { ...data, type });
      const allowed = type === 'permit.decided' ? allowedIn(data, at) : null;
      if (allowed !== null) counts = countAllowed(counts, allowed);
    }
    from = page.next;
  }
  return counts;
}

/** What a record of a decision allowed; null when nothing that counts. */
function allowedIn(data: Record<string, unknown>, at: number): Allowed | null {
  const { kind, decision, path, call, tool, rated } = data;
  if (decision !== 'allow') return null;
  if (kind === 'model') return { kind };
  const rules = Array.isArray(rated) ? rated.map(String) : [];
  if (kind !== 'tool') return null;
  return { kind, path: String(path), call: String(call), tool: String(tool), rated: rules, at };
}
