import type { Diagnostics } from '../diagnostics.ts';
import { hasProcess } from './ends.ts';
import type { Fleet } from './fleet.ts';
import { isPaused } from './live-instance.ts';

/** The process of a waiting instance goes without an event. */
const LOOK_MS = 500;

/**
 * Waits until no instance has a process that works, with a bound. Those that still run then, or when `hurried` is
 * aborted, are left running. Paused ones are not waited for: they end nothing.
 */
export async function drain(
  fleet: Pick<Fleet, 'all'>,
  log: Diagnostics,
  boundMs: number,
  hurried: AbortSignal,
): Promise<void> {
  const busy = (): string[] =>
    [...fleet.all()].filter((live) => hasProcess(live) && !isPaused(live)).map((live) => live.row.id);
  const first = busy();
  if (first.length === 0) return;
  log.info('waiting for instances to end', { instances: first, seconds: boundMs / 1000 });
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      clearTimeout(bound);
      clearInterval(looks);
      hurried.removeEventListener('abort', settle);
      resolve();
    };
    const bound = setTimeout(settle, boundMs);
    const looks = setInterval(() => busy().length === 0 && settle(), LOOK_MS);
    hurried.addEventListener('abort', settle);
    if (hurried.aborted) settle();
    for (const live of fleet.all())
      live.watchers.add(({ method }) => method === 'instance.ended' && busy().length === 0 && settle());
  });
  const left = busy();
  if (left.length > 0) log.warn('instances are left running', { instances: left });
}
