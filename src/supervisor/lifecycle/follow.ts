import type { Call } from '../control-server.ts';
import type { LiveInstance, Watcher } from './live-instance.ts';

/**
 * Tells a connection what happens to an instance, until either ends. Nothing of the instance is held then: a client that
 * starts thousands of runs over one connection would keep all of them in our memory.
 */
export function follow(live: LiveInstance, { gone, notify }: Pick<Call, 'gone' | 'notify'>): void {
  const forget = (): void => void live.watchers.delete(watcher);
  const watcher: Watcher = (notification) => {
    notify(notification);
    if (notification.method === 'instance.ended') gone.removeEventListener('abort', forget);
  };
  live.watchers.add(watcher);
  gone.addEventListener('abort', forget, { once: true });
}
