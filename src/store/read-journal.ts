import type { JournalEntry } from '../engine/events.ts';
import type { JournalPage } from './operations.ts';
import type { Store } from './store.ts';

/**
 * The journal of an instance behind an event, to its end. One of a long loop has hundreds of thousands of events: it
 * comes in pages, and other work has its turns in between. `first`: the answer to a first question, where it was asked already.
 */
export async function readJournal(
  store: Pick<Store, 'call'>,
  id: string,
  first?: Promise<JournalPage>,
): Promise<JournalEntry[]> {
  const journal: JournalEntry[] = [];
  let page = await (first ?? store.call('journal.read', { id, afterSeq: 0 }));
  for (;;) {
    for (const entry of page.entries) journal.push(entry);
    if (page.next === null) return journal;
    page = await store.call('journal.read', { id, afterSeq: page.next });
  }
}
