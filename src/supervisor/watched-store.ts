import { type AuditEntry, eventRecord, SUPERVISOR } from '../audit/record.ts';
import type { Answer, Arguments, OperationName, Operations } from '../store/operations.ts';
import type { Store } from '../store/store.ts';

/**
 * Hears of writes: of the records when they are sent, and by what it answers (null: no matter) of those that were
 * written, or null when it failed. Must not throw.
 */
export type StoreWatcher = (
  records: readonly AuditEntry[],
) => ((written: readonly AuditEntry[] | null, ms: number) => void) | null;

/**
 * The same store, whose writes are seen as they pass: no read of the database is needed to count what happens. Events
 * that an instance sends again after a lost ack are seen again.
 */
export function watchStore(store: Store, watcher: StoreWatcher): Store {
  const call = async <K extends OperationName>(name: K, args: Arguments<K>): Promise<Answer<K>> => {
    const records = recordsIn(name, args);
    const done = records === null ? null : watcher(records);
    if (records === null || done === null) return store.call(name, args);
    const startedAt = performance.now();
    try {
      const answer = await store.call(name, args);
      done(writtenOf(records, answer), performance.now() - startedAt);
      return answer;
    } catch (error) {
      done(null, performance.now() - startedAt);
      throw error;
    }
  };
  return {
    call,
    readEach: (name, many) => store.readEach(name, many),
    get auditSeq() {
      return store.auditSeq;
    },
    get pending() {
      return store.pending;
    },
    giveBack: () => store.giveBack(),
    onAppended: (listener) => store.onAppended(listener),
    close: () => store.close(),
  };
}

/** The records that an operation carries; null for one that reads. Those of `journal.close` are made by the writer. */
function recordsIn(name: OperationName, args: object): readonly AuditEntry[] | null {
  // Each operation has its records under one of these names (store/operations.ts).
  const { audit, audits, entries } = args as {
    audit?: AuditEntry;
    audits?: readonly AuditEntry[];
    entries?: readonly AuditEntry[];
  };
  if (name === 'journal.close') {
    const { id, at, events } = args as Operations['journal.close'][0];
    return events.map((event) => eventRecord(id, at, event, SUPERVISOR));
  }
  if (audits !== undefined) return audits;
  if (audit !== undefined) return [audit];
  return name.startsWith('audit.append') ? (entries ?? []) : null;
}

/** Without what turned out to be written already, or not to be there: then a fact of the answer is false. */
function writtenOf(asked: readonly AuditEntry[], answer: unknown): readonly AuditEntry[] {
  if (typeof answer !== 'object' || answer === null) return asked;
  if (Object.values(answer).includes(false)) return [];
  // journal.close: none when the run has ended already.
  return 'entries' in answer && Array.isArray(answer.entries) && answer.entries.length === 0 ? [] : asked;
}
