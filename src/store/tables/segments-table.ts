import type { DatabaseSync } from 'node:sqlite';
import { genesisHash, SUPERVISOR } from '../../audit/record.ts';
import {
  isSegmentDue,
  type Segment,
  type SegmentBody,
  segmentDigest,
  signSegment,
} from '../../audit/segment.ts';
import type { AuditTable } from './audit-table.ts';

/** Sealed ranges of the audit chain, without gaps; only whole ones may be pruned. */
export interface SegmentsTable {
  /** Seals the records since the last segment when its day is over or it is full. */
  sealIfDue(now: number): void;
  /** The oldest segment with records in the table that ends before a time; null when there is none. */
  oldest(before: number): SegmentBody | null;
  digestOf(number: number): string;
}

export function openSegmentsTable(database: DatabaseSync, audit: AuditTable): SegmentsTable {
  const insert = database.prepare(
    'INSERT INTO audit_segments (number, first, last, body, signature) VALUES (?, ?, ?, ?, ?)',
  );
  const newest = database.prepare('SELECT body FROM audit_segments ORDER BY number DESC LIMIT 1');
  const byNumber = database.prepare('SELECT body FROM audit_segments WHERE number = ?');
  const holding = database.prepare(
    'SELECT body FROM audit_segments WHERE first = (SELECT min(seq) FROM audit) ORDER BY number LIMIT 1',
  );
  const opened = database.prepare('SELECT at FROM audit WHERE seq = ?');
  const sum = database.prepare(
    'SELECT max(at) AS until, coalesce(sum(length(CAST(body AS BLOB))), 0) AS bytes FROM audit WHERE seq > ? AND seq <= ?',
  );
  const { log } = audit.head();
  // How much of the open segment was counted already: what is behind is not read again.
  let counted = { after: -1, through: -1, bytes: 0, until: 0 };

  const count = (after: number, through: number): typeof counted => {
    if (counted.after !== after || counted.through > through)
      counted = { after, through: after, bytes: 0, until: 0 };
    const row = sum.get(counted.through, through);
    counted = {
      after,
      through,
      bytes: counted.bytes + Number(row?.['bytes'] ?? 0),
      until: Math.max(counted.until, Number(row?.['until'] ?? 0)),
    };
    return counted;
  };

  return {
    sealIfDue: (now) => {
      const row = newest.get();
      const before = row === undefined ? null : parse(row['body']);
      const after = before?.last ?? 0;
      const { seq, hash } = audit.head();
      if (seq <= after) return;
      const { bytes, until } = count(after, seq);
      const since = Number(opened.get(after + 1)?.['at'] ?? now);
      if (!isSegmentDue({ since, bytes }, now)) return;
      const segment: Segment = signSegment(
        {
          log,
          number: (before?.number ?? 0) + 1,
          first: after + 1,
          last: seq,
          before: before?.hash ?? genesisHash(log),
          hash,
          until,
          bytes,
          sealed_at: now,
          previous: row === undefined ? null : segmentDigest({ body: String(row['body']) }),
        },
        audit.key,
      );
      insert.run(segment.number, segment.first, segment.last, segment.body, segment.signature);
      const { number, first, last } = segment;
      const data = { segment: number, digest: segmentDigest(segment), first, last };
      audit.append({ type: 'audit.sealed', at: now, actor: SUPERVISOR, instance: null, data });
    },
    oldest: (before) => {
      const row = holding.get();
      const body = row === undefined ? null : parse(row['body']);
      return body !== null && body.until < before ? body : null;
    },
    digestOf: (number) => segmentDigest({ body: String(byNumber.get(number)?.['body']) }),
  };
}

/** The column is only ever written by `sealIfDue`, and its triggers let nobody change it. */
function parse(body: unknown): SegmentBody {
  return JSON.parse(String(body)) as SegmentBody;
}
