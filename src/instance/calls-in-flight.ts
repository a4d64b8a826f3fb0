import type { CallEnd } from '../agents/run.ts';
import { covers, coversServer, type KillScope, type KillSubject } from '../guard/kill/kill-scope.ts';
import { AT_ONCE } from '../skills/stop.ts';

/** The calls of tools that are under way. A kill switch ends those that it covers; their agents go on. */
export interface CallsInFlight {
  /** Runs a call with a signal that aborts with `signal` or with the switch. Rejects with what `work` rejects with. */
  during<T>(
    subject: KillSubject,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<CallEnd<T>>;
  /**
   * The process of an MCP server, which stays between its calls and may go on with what one of them began: a switch of
   * the server, or of any tool of it, calls `end`. Answers what takes it off the list.
   */
  serve(server: string, end: () => Promise<void>): () => void;
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
  const servers = new Set<{ readonly name: string; readonly end: () => Promise<void> }>();
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
    serve: (name, end) => {
      const server = { name, end };
      servers.add(server);
      return () => void servers.delete(server);
    },
    trip: async (scope, reason, isGentle) => {
      const covered = [...open].filter(({ subject }) => covers(scope, subject));
      for (const call of covered) {
        call.switchedOff ??= reason;
        call.abort.abort(isGentle ? undefined : AT_ONCE);
      }
      await Promise.all(covered.map(({ over }) => over.promise));
      const serving = [...servers].filter(({ name }) => coversServer(scope, name));
      await Promise.all(serving.map(({ end }) => end()));
    },
  };
}
