/** The part of the people's methods that speaks of the audit log. */
import type { PrunedSegment } from '../store/audit-prune.ts';
import type { AuditPage, ShownRecord } from '../store/audit-reader.ts';
import type { Caller } from './caller.ts';
import type { RecordedCall } from './guard-documents.ts';

/** Method → [parameters, result], as in control.ts. */
export interface AuditMethods {
  'audit.about': [Record<string, never>, AuditAboutDocument];
  /** A page of the audit log; `next` is where to read on, null at the end. */
  'audit.read': [{ order: 'oldest' | 'newest'; from: number; limit: number; filter: AuditFilter }, AuditPage];
  /** Notifications follow until the connection closes; `from` null = what comes from now on. */
  'audit.follow': [{ from: number | null; filter: AuditFilter }, { from: number }];
  /** Past decisions about calls, the oldest first; `since` UTC ms, `from` a number of the log. */
  'audit.calls': [
    { since: number | null; from: number; limit: number },
    { calls: readonly RecordedCall[]; next: number | null },
  ];
  'audit.show': [{ seq: number }, ShownRecord];
  /** Takes the payload of a record away. */
  'audit.erase': [{ seq: number; caller: Caller }, { seq: number }];
  /** Removes sealed segments that end before a time, UTC ms. */
  'audit.prune': [{ before: number; caller: Caller }, { pruned: readonly PrunedSegment[] }];
}

/** Times are UTC ms, `type` is a pattern with * and ?, `instance` a prefix or `latest`. Null = all. */
export interface AuditFilter {
  readonly since: number | null;
  readonly until: number | null;
  readonly type: string | null;
  readonly instance: string | null;
}

export interface AuditAboutDocument {
  readonly log: string;
  /** Number and hash of the last record. */
  readonly seq: number;
  readonly hash: string;
  readonly key: string;
  readonly anchor: string;
  readonly database: string;
}
