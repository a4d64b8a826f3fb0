import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';

/** Something that is done by itself from time to time. */
export interface Chore {
  /** For the log: `the database could not be …`. */
  readonly failure: string;
  readonly everyMs: number;
  /** When it was last done, UTC ms. */
  lastAt(): number;
  run(): Promise<void>;
}

export interface Upkeep {
  /** Does now what is due. One look at a time; never rejects: what fails is logged and due at the next look. */
  look(): Promise<void>;
  close(): void;
}

/** Not at once: a start has other things to do. */
const FIRST_LOOK_MS = 60_000;
const LOOK_MS = 10 * 60_000;

/** Looks from time to time what is due, by the wall clock: a machine that slept through the day does it then. */
export function createUpkeep(
  { log, now }: Pick<SupervisorContext, 'log' | 'now'>,
  chores: readonly Chore[],
): Upkeep {
  let looking: Promise<void> | null = null;
  const act = async (): Promise<void> => {
    for (const chore of chores)
      try {
        const age = now() - chore.lastAt();
        // A clock that was set back must not put it off for ever.
        if (age < chore.everyMs && age > -chore.everyMs) continue;
        await chore.run();
      } catch (error) {
        log.error(`${chore.failure}, trying again in ${LOOK_MS / 60_000} min`, {
          cause: ensureError(error).message,
        });
      }
  };
  const look = (): Promise<void> => {
    looking ??= act().finally(() => {
      looking = null;
    });
    return looking;
  };
  const first = setTimeout(() => void look(), FIRST_LOOK_MS).unref();
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  return {
    look,
    close: () => {
      clearTimeout(first);
      clearInterval(timer);
    },
  };
}
