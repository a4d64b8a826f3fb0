import { type FSWatcher, watch } from 'node:fs';
import { isGone } from './control-file.ts';

/** With a watch, the poll is only a net below it: inotify may lose an event when its queue is full. */
const NET_MS = 1000;
const POLL_MAX_MS = 50;

export interface Wait {
  /** File whose change is the event (`cgroup.events`), or null where the kernel has none. */
  readonly eventsFile: string | null;
  readonly isDone: () => boolean;
  /** True while no event can be hoped for although `isDone` is false: polls with a back-off. */
  readonly mustPoll?: () => boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Resolves true when `isDone`, false after the time; rejects with the reason of the signal. */
export function waitFor(wait: Wait): Promise<boolean> {
  if (wait.signal?.aborted) return Promise.reject(wait.signal.reason);
  if (wait.isDone()) return Promise.resolve(true);
  if (wait.timeoutMs !== undefined && wait.timeoutMs <= 0) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    let watcher: FSWatcher | null = null;
    let pollTimer: NodeJS.Timeout | undefined;
    let pauseMs = 1;

    const end = (settle: () => void): void => {
      watcher?.close();
      clearTimeout(pollTimer);
      clearTimeout(limitTimer);
      wait.signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const check = (): void => {
      let isDone = false;
      try {
        isDone = wait.isDone();
      } catch (error) {
        end(() => reject(error));
        return;
      }
      if (isDone) {
        end(() => resolve(true));
        return;
      }
      clearTimeout(pollTimer);
      // The kernel holds an event back for up to 10 ms after the one before: a short wait cannot spare that.
      const isBlind = watcher === null || wait.timeoutMs !== undefined || wait.mustPoll?.() === true;
      pollTimer = setTimeout(check, isBlind ? pauseMs : NET_MS);
      if (isBlind) pauseMs = Math.min(pauseMs * 2, POLL_MAX_MS);
    };
    const onAbort = (): void => end(() => reject(wait.signal?.reason));
    const limitTimer =
      wait.timeoutMs === undefined
        ? undefined
        : setTimeout(() => end(() => resolve(wait.isDone())), wait.timeoutMs);

    wait.signal?.addEventListener('abort', onAbort);
    watcher = wait.eventsFile === null ? null : openWatch(wait.eventsFile, check);
    watcher?.on('error', () => {
      watcher?.close();
      watcher = null;
      check();
    });
    // Again after the watch is on: the event may have come between the first look and the watch.
    check();
  });
}

/** Null when the file is gone or the user has no inotify watch left: the caller polls then. */
function openWatch(path: string, onChange: () => void): FSWatcher | null {
  try {
    return watch(path, onChange);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!isGone(error) && code !== 'ENOSPC' && code !== 'EMFILE') throw error;
    return null;
  }
}
