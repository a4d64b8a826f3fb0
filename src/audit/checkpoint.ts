import { canonicalJson, sha256 } from './canonical.ts';
import type { AuditKey } from './keys.ts';

/** What a checkpoint says: the chain up to record `seq` has this hash. Signed; each names the one before it. */
export interface CheckpointBody {
  readonly v: 1;
  readonly log: string;
  /** Counts from 1. */
  readonly number: number;
  readonly seq: number;
  readonly hash: string;
  /** UTC ms. */
  readonly at: number;
  /** Digest of the checkpoint before, null for the first. */
  readonly previous: string | null;
  /** The public key that it is signed by. */
  readonly key: string;
}

/** A checkpoint as it is kept: its canonical text, and the signature of that text. */
export interface Checkpoint {
  readonly number: number;
  readonly seq: number;
  readonly body: string;
  readonly signature: string;
}

/** Every so many records, and every so often while there are new ones, a checkpoint is due. */
export const CHECKPOINT_RECORDS = 1000;
export const CHECKPOINT_MS = 60_000;
/** Nothing new for so long: a good moment, since what is behind the last checkpoint could be cut off unseen. */
export const CHECKPOINT_QUIET_MS = 200;

export function signCheckpoint(parts: Omit<CheckpointBody, 'v' | 'key'>, key: AuditKey): Checkpoint {
  const body = canonicalJson({ v: 1, ...parts, key: key.publicKey } satisfies CheckpointBody);
  return { number: parts.number, seq: parts.seq, body, signature: key.sign(body) };
}

/** How the next checkpoint names this one. */
export function checkpointDigest(checkpoint: Pick<Checkpoint, 'body'>): string {
  return sha256(checkpoint.body);
}
