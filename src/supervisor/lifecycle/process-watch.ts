import { isAlive } from '../../../sandbox/process-identity.ts';
import type { LiveInstance } from './live-instance.ts';

/** How often the identity of a process is looked at that is not our child, besides the kernel's own notices. */
const LOOK_MS = 1000;

/**
 * Resolves when the process of the instance is gone: told by the exit of our own child (`childExit`), or, for an
 * adopted one, by its closed connection or empty scope, each confirmed by its identity. Never resolves after an abort.
 */
export function watchProcess(
  live: LiveInstance,
  childExit: Promise<void> | null,
  signal: AbortSignal,
): Promise<void> {
  if (childExit !== null) return childExit;
  return new Promise((resolve) => {
    const look = (): void => {
      // The process may have been started by a supervisor that died before it could write the pid down.
      const isThere = live.process === null ? (live.scope?.pids().length ?? 0) > 0 : isAlive(live.process);
      if (isThere) return;
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(look, LOOK_MS);
    timer.unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    live.scope?.whenEmpty(signal).then(look, () => undefined);
    look();
  });
}
