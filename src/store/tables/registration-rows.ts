import type { Starter } from './schedule-rows.ts';

export interface RegistrationRow {
  readonly name: string;
  readonly version: string;
  readonly definitionHash: string;
  readonly source: string;
  readonly registeredAt: number;
  /** What a run that the clock starts takes from who registered it; null in rows of older versions. */
  readonly starter: Starter | null;
}

export interface Documents {
  /** Content by SHA-256: definitions and pinned skills. */
  readonly [hash: string]: string;
}
