/** The part of the people's methods that keeps the state folder in order. Times are UTC ISO 8601. */
import type { Caller } from './control.ts';

/** Method → [parameters, result], as in control.ts. */
export interface UpkeepMethods {
  /** Copies the database; `output` null = into the folder of backups. An absolute path that is there is refused. */
  'supervisor.backup': [{ output: string | null; caller: Caller }, BackupDocument];
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
