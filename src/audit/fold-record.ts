import type { AuditBinds } from './binds.ts';

/** The parts of a record's body that count here. */
export interface FoldRecord {
  readonly seq: number;
  readonly type: string;
  readonly at: number;
  readonly instance: string | null;
  readonly actor?: { readonly kind: string; readonly id: string };
  readonly data: Readonly<Record<string, unknown>>;
  readonly binds?: Omit<AuditBinds, 'payload'>;
}
