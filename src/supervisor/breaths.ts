import { setImmediate } from 'node:timers/promises';

/** Longer turns of the event loop are late for permits and connections. */
const TURN_MS = 8;

/** For a long loop: what it awaits after each item lets the rest of the process have its turn, when that is due. */
export function takeBreaths(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await setImmediate();
    since = performance.now();
  };
}
