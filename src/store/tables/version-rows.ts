import type { InstanceLimits } from './instance-rows.ts';
import type { Documents } from './registration-rows.ts';

/** One content that was registered under a name. */
export interface VersionRow {
  readonly workflow: string;
  /** Counted from 1 for each name; means this content for good. */
  readonly number: number;
  readonly definitionHash: string;
  /** As the file has it. */
  readonly version: string;
  readonly source: string;
  /** When it was first. */
  readonly registeredAt: number;
  /** Null in rows of older databases. */
  readonly registeredBy: string | null;
  readonly isCurrent: boolean;
  /** Instances that have it now, archived ones not counted. */
  readonly runs: number;
}

export interface VersionReads {
  /** Null = of all names. */
  'version.list': [{ workflow: string | null }, VersionRow[]];
}

/** What an instance goes on with instead of what it began with. */
export interface DefinitionChange {
  readonly version: string;
  readonly definitionHash: string;
  readonly pinsHash: string;
  readonly source: string;
  readonly limits: InstanceLimits;
  readonly notice: string | null;
  /** The end of the journal that was compared with it: NOT_RESUMABLE when more came since. */
  readonly lastSeq: number;
  readonly documents: Documents;
}
