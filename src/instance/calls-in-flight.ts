import type { CallEnd } from '../agents/run.ts';
import { covers, type KillScope, type KillSubject } from '../guard/kill/kill-scope.ts';
import { AT_ONCE } from '../skills/stop.ts';

/** The calls of tools that are under way. A kill switch ends those that it covers; their agents go on. */
export interface CallsInFlight {
  /** Runs a call with a signal that aborts with `signal` or with the switch. Rejects with what `work` rejects with. */
  during<T>(
    subject: KillSubject,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<CallEnd<T>>;
  /** Ends what a scope covers; resolves when it is over. */
  trip(scope: KillScope, reason: string, isGentle: boolean): Promise<void>;
}

interface CallInFlight {
  readonly subject: KillSubject;
  readonly abort: AbortController;
  readonly over: PromiseWithResolvers<void>;
  switchedOff: string | null;
}

export function createCallsInFlight(): CallsInFlight {
  const open = new Set<CallInFlight>();
  return {
    during: async (subject, signal, work) => {
      const call: CallInFlight = {
        subject,
        abort: new AbortController(),
        over: Promise.withResolvers(),
        switchedOff: null,
      };
      open.add(call);
      try {
        const value = await work(AbortSignal.any([signal, call.abort.signal]));
        return call.switchedOff === null ? { value } : { switchedOff: call.switchedOff };
      } catch (error) {
        if (call.switchedOff === null) throw error;
        return { switchedOff: call.switchedOff };
      } finally {
        open.delete(call);
        call.over.resolve();
      }
    },
    trip: async (scope, reason, isGentle) => {
      const covered = [...open].filter(({ subject }) => covers(scope, subject));
      for (const call of covered) {
        call.switchedOff ??= reason;
        call.abort.abort(isGentle ? undefined : AT_ONCE);
      }
      await Promise.all(covered.map(({ over }) => over.promise));
    },
  };
}
