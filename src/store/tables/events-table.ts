import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { journalDigest } from '../../audit/binds.ts';
import { sha256 } from '../../audit/canonical.ts';
import type { JournalEntry, RunEvent } from '../../engine/events.ts';
import {
  heldCalls,
  interruptions,
  openCalls,
  undecided,
  type WaitingCalls,
} from '../../protocol/open-calls.ts';
import type { JournalPage } from '../operations.ts';

/** The table `events`: the journals of all instances. */
export interface EventsTable {
  /** Answers the digest of the journal with this event, from that before it. */
  insert(id: string, incarnation: number, entry: JournalEntry, previous: string): string;
  /** Events after a number, in their order, as many as are handed over without holding up others for long. */
  read(id: string, afterSeq: number): JournalPage;
  /** The incarnation that wrote the last event; 0 before any. */
  lastIncarnation(id: string): number;
  /** The outcomes that a journal lacks which is closed from outside: no intent of an agent stays without one. */
  unfinished(id: string, waiting: WaitingCalls): RunEvent[];
}

const PAGE = 2000;
const PAGE_BYTES = 4 * 1024 * 1024;

export function openEventsTable(database: DatabaseSync): EventsTable {
  const insert = database.prepare(
    'INSERT INTO events (instance, seq, incarnation, at, body) VALUES (?, ?, ?, ?, ?)',
  );
  const read = database.prepare(
    'SELECT seq, at, body FROM events WHERE instance = ? AND seq > ? ORDER BY seq',
  );
  const last = database.prepare(
    'SELECT incarnation FROM events WHERE instance = ? ORDER BY seq DESC LIMIT 1',
  );
  const readPage: EventsTable['read'] = (id, afterSeq) => {
    const entries: JournalEntry[] = [];
    let bytes = 0;
    for (const row of read.iterate(id, afterSeq)) {
      const entry = toEntry(row);
      entries.push(entry);
      bytes += String(row['body']).length;
      if (entries.length >= PAGE || bytes >= PAGE_BYTES) return { entries, next: entry.seq };
    }
    return { entries, next: null };
  };
  return {
    insert: (id, incarnation, { seq, at, event }, previous) => {
      const body = JSON.stringify(event);
      insert.run(id, seq, incarnation, at, body);
      return journalDigest(previous, { seq, incarnation, at, body });
    },
    read: readPage,
    lastIncarnation: (id) => Number(last.get(id)?.['incarnation'] ?? 0),
    unfinished: (id, waiting) => {
      const journal = read.all(id, 0).map(toEntry);
      const undone = heldCalls(openCalls(journal), waiting);
      return [...interruptions(journal, waiting, sha256), ...undecided(undone, 'run', sha256)];
    },
  };
}

function toEntry(row: Record<string, SQLOutputValue>): JournalEntry {
  return {
    seq: Number(row['seq']),
    at: Number(row['at']),
    event: JSON.parse(String(row['body'])) as RunEvent,
  };
}
