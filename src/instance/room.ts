import { systemCode } from '../errors/workflow-error.ts';
import { onAbort, startTimer } from '../skills/waits.ts';

/** How often a write is tried again while the disk is full. */
export const ROOM_RETRY_MS = 500;

/** Does it, again and again while the disk is full. False when it was given up because `signal` aborted. */
export async function whenThereIsRoom(act: () => void, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted)
    try {
      act();
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      await pause(signal);
    }
  return false;
}

/** Ends early when `signal` aborts. */
async function pause(signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const release = [startTimer(ROOM_RETRY_MS, over.resolve), onAbort(signal, over.resolve)];
  await over.promise;
  for (const free of release) free();
}

export function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
