import { createLatency, type LatencySummary } from '../metrics/latency.ts';
import { type DelaySummary, watchLoopDelay } from '../metrics/loop-delay.ts';
import type { StoreWatcher } from '../watched-store.ts';

/** How the supervisor itself does, and the place where committed records can be heard. */
export interface Vitals {
  readonly watcher: StoreWatcher;
  /** Hears of writes from now on. */
  listen(watcher: StoreWatcher): void;
  storeLatency(): LatencySummary | null;
  loopDelay(): DelaySummary;
  close(): void;
}

export function openVitals(): Vitals {
  const latency = createLatency();
  const delay = watchLoopDelay();
  const watchers: StoreWatcher[] = [];
  return {
    watcher: (records) => {
      const listening = watchers.flatMap((watcher) => watcher(records) ?? []);
      return (written, ms) => {
        if (written !== null) latency.add(ms);
        for (const each of listening) each(written, ms);
      };
    },
    listen: (watcher) => {
      watchers.push(watcher);
    },
    storeLatency: () => latency.summary(),
    loopDelay: () => delay.summary(),
    close: () => delay.close(),
  };
}
