import { collectGarbage } from '../../protocol/collect-garbage.ts';
import type { Store } from '../../store/store.ts';

/** Has memory given back while the supervisor rests. */
export interface QuietCollector {
  close(): void;
}

/** What is recorded every few seconds leaves no rest. */
const LOOK_MS = 15_000;
/** Some thirty runs: fewer leave too little to look for. */
const WORTH_RECORDS = 250;

/**
 * Collects garbage in both threads when much was recorded and then nothing for a while. V8 alone waits for more garbage
 * first, and at rest none comes: some 15 MiB stayed until the next thousand runs. Takes some 25 ms of a time when
 * nobody waits.
 */
export function openQuietCollector(
  store: Pick<Store, 'auditSeq' | 'giveBack'>,
  collect: () => void = collectGarbage,
): QuietCollector {
  let seen = store.auditSeq;
  let collected = seen;
  const timer = setInterval(() => {
    const now = store.auditSeq;
    if (now === seen && now - collected >= WORTH_RECORDS) {
      collected = now;
      collect();
      // After ours: one thread at a time.
      store.giveBack();
    }
    seen = now;
  }, LOOK_MS).unref();
  return { close: () => clearInterval(timer) };
}
