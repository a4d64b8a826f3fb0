/** Rows and operations of what goes to an archive, and comes back. Times are UTC ms. */
import type { AuditEntry } from '../../audit/record.ts';

/** A row of a table as SQLite has it, by its columns' names. */
export type RawRow = Readonly<Record<string, string | number | null>>;

/** All rows of one instance but its events. */
export interface ArchivedRows {
  readonly instance: RawRow;
  readonly documents: readonly RawRow[];
  readonly approvals: readonly RawRow[];
  readonly fires: readonly RawRow[];
}

/** Where in the order of their ends to read on. */
export interface DueCursor {
  readonly endedAt: number;
  readonly id: string;
}

/** Name → [arguments, result], as in operations.ts. */
export interface ArchiveOperations {
  /**
   * Removes the rows of an instance that has ended and is as it was when it was read (`incarnation`, `lastSeq`); its
   * record ties what it was. False, and nothing written, when it is not.
   */
  'archive.remove': [
    { id: string; incarnation: number; lastSeq: number; audit: AuditEntry },
    { isRemoved: boolean },
  ];
  /**
   * Removes documents that nothing names any more, with a record. Looks at some, those whose hash comes after `after`
   * ('' at first); `next` is where to go on, null at the end.
   */
  'archive.sweep': [{ after: string; at: number }, { count: number; next: string | null }];
  /** Writes them again. Fails with ARCHIVE_DAMAGED when they are not what was removed, or do not fit together. */
  'archive.put_back': [{ rows: ArchivedRows; events: readonly RawRow[]; audit: AuditEntry }, null];
}

export interface ArchiveReads {
  /** Instances that ended before a time, the oldest end first. */
  'archive.due': [{ before: number; from: DueCursor | null; limit: number }, DueCursor[]];
  /** Which of the ids have a row. */
  'archive.known': [{ ids: readonly string[] }, string[]];
  /** Null when there is no such instance, or it has not ended. */
  'archive.read': [{ id: string }, ArchivedRows | null];
  /** Events after a number, in their order; a page of a bounded size. Empty at the end. */
  'archive.events': [{ id: string; after: number }, RawRow[]];
}
