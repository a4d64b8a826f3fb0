import type { PermitApproval } from '../protocol/instance-link.ts';
import { onAbort, startTimer } from '../skills/waits.ts';

/** The approvals that are decided, for attempts that stay while they wait: agents of other makers, which stand still. */
export interface Decisions {
  /** An approval is decided. */
  mark(approval: number): void;
  /** Resolves when it is decided, when its time is over, or when the signal aborts. */
  wait(approval: Pick<PermitApproval, 'number' | 'until'>, signal: AbortSignal): Promise<void>;
}

export function createDecisions(decided: Iterable<number>): Decisions {
  const known = new Set(decided);
  const waiters = new Map<number, Set<() => void>>();
  return {
    mark: (approval) => {
      known.add(approval);
      for (const wake of waiters.get(approval) ?? []) wake();
    },
    wait: async ({ number, until }, signal) => {
      if (known.has(number) || signal.aborted) return;
      const over = Promise.withResolvers<void>();
      const mine = waiters.get(number) ?? new Set();
      waiters.set(number, mine.add(over.resolve));
      const release = [
        startTimer(Math.max(0, until - Date.now()), over.resolve),
        onAbort(signal, over.resolve),
      ];
      try {
        await over.promise;
      } finally {
        mine.delete(over.resolve);
        for (const free of release) free();
      }
    },
  };
}
