import type { AuditBinds } from '../../audit/binds.ts';
import {
  type Allowed,
  countAllowed,
  countEvent,
  countJournal,
  NOTHING_COUNTED,
  type RunCounts,
} from '../../guard/run-counts.ts';
import type { AuditPage } from '../../store/audit-reader.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { Store } from '../../store/store.ts';

/**
 * What was used, from the audit records of the run: no crash or restart gives any of it back. Where its first records
 * were pruned its journal, which stays as long as the run does, says what was used before.
 */
export async function readCounts(store: Pick<Store, 'call'>, instance: string): Promise<RunCounts> {
  const { isWhole, firstEvent, counted } = await readRecords(store, instance);
  const journal = isWhole ? [] : await readJournal(store, instance);
  const before = journal.filter(({ seq }) => seq < firstEvent);
  return counted.reduce(
    (counts, { type, at, data }) => {
      const used = countEvent(counts, { ...data, type });
      const allowed = type === 'permit.decided' ? allowedIn(data, at) : null;
      return allowed === null ? used : countAllowed(used, allowed);
    },
    countJournal(NOTHING_COUNTED, before),
  );
}

interface CountedRecord {
  readonly type: string;
  readonly at: number;
  readonly data: Record<string, unknown>;
  readonly binds?: AuditBinds;
}

interface KeptRecords {
  /** Its first record is there. */
  readonly isWhole: boolean;
  /** The first event of the journal that has a record. */
  readonly firstEvent: number;
  readonly counted: readonly CountedRecord[];
}

async function readRecords(store: Pick<Store, 'call'>, instance: string): Promise<KeptRecords> {
  let firstType: string | null = null;
  let firstEvent = Number.POSITIVE_INFINITY;
  const counted: CountedRecord[] = [];
  const query = { order: 'oldest', limit: 500, since: null, until: null, type: null, instance } as const;
  for (let from: number | null = 0; from !== null; ) {
    const page: AuditPage = await store.call('audit.read', { ...query, from });
    for (const { body } of page.rows) {
      const record = JSON.parse(body) as CountedRecord;
      firstType ??= record.type;
      firstEvent = Math.min(firstEvent, record.binds?.journal?.seq ?? firstEvent);
      if (record.type === 'permit.decided' || record.type.startsWith('agent.')) counted.push(record);
    }
    from = page.next;
  }
  return { isWhole: firstType === 'instance.created', firstEvent, counted };
}

/** What a record of a decision allowed; null when nothing that counts. */
function allowedIn(data: Record<string, unknown>, at: number): Allowed | null {
  const { kind, decision, path, iteration, call, tool, rated } = data;
  if (decision !== 'allow') return null;
  if (kind === 'model') return { kind, path: String(path), iteration: Number(iteration) };
  const rules = Array.isArray(rated) ? rated.map(String) : [];
  if (kind !== 'tool') return null;
  return { kind, path: String(path), call: String(call), tool: String(tool), rated: rules, at };
}
