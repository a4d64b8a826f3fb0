/** The part of the people's methods that keeps the state folder in order. Times are UTC ISO 8601. */
import type { Caller } from './caller.ts';

/** Method → [parameters, result], as in control.ts. */
export interface UpkeepMethods {
  /** Copies the database; `output` null = into the folder of backups. An absolute path that is there is refused. */
  'supervisor.backup': [{ output: string | null; caller: Caller }, BackupDocument];
  /** The newest end first. */
  'archive.list': [Record<string, never>, readonly ArchiveDocument[]];
  /** Reads all of it; `id` may be a prefix. */
  'archive.show': [{ id: string }, ArchiveDocument & ArchiveContent];
  'archive.restore': [{ id: string; caller: Caller }, { id: string; events: number; files: number }];
  /** Archives what ended before a time, UTC ms; null = as the settings say. */
  'archive.run': [{ before: number | null; caller: Caller }, ArchiveRun];
  /** Removes archives of ends before a time (UTC ms), beyond a count or a size; null = as the settings say. */
  'archive.prune': [
    { before: number | null; count: number | null; bytes: number | null; caller: Caller },
    { removed: readonly ArchiveDocument[] },
  ];
}

/** A packed instance. */
export interface ArchiveDocument {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: string;
  readonly created_at: string;
  readonly ended_at: string;
  readonly archived_at: string;
  readonly file: string;
  readonly bytes: number;
}

export interface ArchiveContent {
  readonly reason: string | null;
  readonly events: number;
  readonly parts: readonly { readonly part: string; readonly bytes: number; readonly sha256: string }[];
}

export interface ArchiveRun {
  readonly archived: readonly string[];
  readonly bytes: number;
  /** Why it did not come to its end; null when it did. */
  readonly stopped: string | null;
}

export interface BackupDocument {
  readonly file: string;
  readonly made_at: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The end of the audit chain in it. */
  readonly audit: { readonly log: string | null; readonly seq: number; readonly hash: string | null };
  readonly took_ms: number;
}
