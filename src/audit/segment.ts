import { canonicalJson, sha256 } from './canonical.ts';
import type { AuditKey } from './keys.ts';

/** What a sealed segment says of a range of records; it stays when they are pruned. */
export interface SegmentBody {
  readonly v: 1;
  readonly log: string;
  /** Counts from 1. */
  readonly number: number;
  readonly first: number;
  readonly last: number;
  /** Hash of the chain before the first record, and after the last. */
  readonly before: string;
  readonly hash: string;
  /** The latest time that a record of it has, UTC ms. */
  readonly until: number;
  readonly bytes: number;
  readonly sealed_at: number;
  /** Digest of the segment before, null for the first. */
  readonly previous: string | null;
  readonly key: string;
}

/** A segment as it is kept. */
export interface Segment {
  readonly number: number;
  readonly first: number;
  readonly last: number;
  readonly body: string;
  readonly signature: string;
}

export const SEGMENT_BYTES = 64 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** A segment ends with the UTC day that it began on, or when it is full. */
export function isSegmentDue(open: { readonly since: number; readonly bytes: number }, now: number): boolean {
  return open.bytes >= SEGMENT_BYTES || Math.floor(now / DAY_MS) > Math.floor(open.since / DAY_MS);
}

export function signSegment(parts: Omit<SegmentBody, 'v' | 'key'>, key: AuditKey): Segment {
  const body = canonicalJson({ v: 1, ...parts, key: key.publicKey } satisfies SegmentBody);
  const { number, first, last } = parts;
  return { number, first, last, body, signature: key.sign(body) };
}

/** How the next segment, and the record of its pruning, name this one. */
export function segmentDigest(segment: Pick<Segment, 'body'>): string {
  return sha256(segment.body);
}
