import type { DatabaseSync } from 'node:sqlite';
import type { JournalEntry, RunEvent } from '../engine/events.ts';

/** The table `events`: the journals of all instances. */
export interface EventsTable {
  insert(id: string, incarnation: number, entry: JournalEntry): void;
  read(id: string, afterSeq: number): JournalEntry[];
}

export function openEventsTable(database: DatabaseSync): EventsTable {
  const insert = database.prepare(
    'INSERT INTO events (instance, seq, incarnation, at, body) VALUES (?, ?, ?, ?, ?)',
  );
  const read = database.prepare(
    'SELECT seq, at, body FROM events WHERE instance = ? AND seq > ? ORDER BY seq',
  );
  return {
    insert: (id, incarnation, entry) => {
      insert.run(id, entry.seq, incarnation, entry.at, JSON.stringify(entry.event));
    },
    read: (id, afterSeq) =>
      read.all(id, afterSeq).map((row) => ({
        seq: Number(row['seq']),
        at: Number(row['at']),
        event: JSON.parse(String(row['body'])) as RunEvent,
      })),
  };
}
