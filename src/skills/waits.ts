/** Node fires a longer timer at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The promise's value, or undefined when it does not settle in time. Rejections pass through. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const stop = startTimer(ms, () => resolve(undefined));
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop();
  }
}

/** Calls back once after `ms` (null: never), also when that is over 24 days; returns how to call it off. */
export function startTimer(ms: number | null, callback: () => void): () => void {
  if (ms === null) return () => undefined;
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const part = Math.min(left, MAX_TIMER_MS);
    timer = setTimeout(() => (left > part ? wait(left - part) : callback()), part);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Runs `callback` when the signal aborts, at once if it has; returns how to forget it. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}
