import { WorkflowError } from '../errors/workflow-error.ts';
import type { Home } from '../protocol/home.ts';
import { type Lock, takeLock } from '../protocol/lock.ts';

/** As long as a start may take twice over: who comes second may still have to start it after the first failed. */
const TURN_DEADLINE_MS = 120_000;
/** A look is one connect(2) and one try of the lock; a hundred that wait must leave the machine to the one that starts. */
const LOOK_MS = 100;

/**
 * Waits until it is this command's turn to start the supervisor of a home, and answers the lock that says so, or the
 * connection when another command has started one meanwhile (`look` answers it). Of a hundred commands that find none,
 * one starts it and the others sleep. Throws SUPERVISOR_UNREACHABLE after two minutes.
 */
export async function awaitStartTurn<T>(
  home: Home,
  look: () => Promise<T | null>,
  deadlineMs: number = TURN_DEADLINE_MS,
): Promise<{ readonly lock: Lock } | { readonly found: T }> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const lock = takeLock(home.startLockFile);
    // Only now: one may have become ready between the first look and the lock.
    const found = await look();
    if (found !== null) {
      lock?.release();
      return { found };
    }
    if (lock !== null) return { lock };
    if (performance.now() > deadline)
      throw new WorkflowError(
        'SUPERVISOR_UNREACHABLE',
        `another command has been starting the supervisor of ${home.folder} for ${deadlineMs / 1000} s, and none answers`,
        { hint: `Look at ${home.logFolder}/supervisor.out and supervisor.log.` },
      );
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS * (0.5 + Math.random())));
  }
}
