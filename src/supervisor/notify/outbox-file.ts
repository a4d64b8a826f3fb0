import { constants, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { systemCode } from '../../errors/workflow-error.ts';
import type { Notification } from './notification.ts';

/** One target that is to be told of one thing. */
export interface Delivery {
  readonly target: string;
  readonly notification: Notification;
  /** That failed. */
  readonly attempts: number;
  /** UTC ms. */
  readonly dueAt: number;
}

export interface OutboxState {
  /** The audit log that `cursor` is of. */
  readonly log: string;
  /** Up to this record everything is delivered, given up, or pending. */
  readonly cursor: number;
  readonly pending: readonly Delivery[];
}

/** Null when there is none, or none of ours: then nothing of the past is told. */
export function readOutbox(file: string): OutboxState | null {
  try {
    const raw: unknown = JSON.parse(
      readFileSync(file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW }),
    );
    return isState(raw) ? raw : null;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ELOOP'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}

/** Replaces it as a whole. One call at a time. */
export async function writeOutbox(file: string, state: OutboxState): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(state)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
}

function isState(raw: unknown): raw is OutboxState {
  if (typeof raw !== 'object' || raw === null) return false;
  const { log, cursor, pending } = raw as Record<string, unknown>;
  return typeof log === 'string' && typeof cursor === 'number' && Array.isArray(pending);
}
