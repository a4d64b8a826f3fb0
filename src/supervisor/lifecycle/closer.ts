import type { RunEvent } from '../../engine/events.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import { KILL_SWITCH_ENDED } from './exit-verdict.ts';
import { followJournal, type LiveInstance } from './live-instance.ts';

/** How an instance is closed: `kill_switch` ends as killed, with a reason of its own. */
export type CloseStatus = 'stopped' | 'killed' | 'kill_switch';

/** Ends instances that have no process which could write the end itself: queued, waiting or paused ones. */
export interface Closer {
  /** Resolves when the end is durable. Calls for one instance join the first. */
  close(live: LiveInstance, status: CloseStatus, by: string): Promise<void>;
  /** The same for a stop that was asked for while the process was leaving; a failure is only logged. */
  closeLater(live: LiveInstance, status: CloseStatus, by: string): void;
}

export interface CloserHandlers {
  /** Takes it out of the queue; answers how to put it back where it was. */
  withdraw(live: LiveInstance): () => void;
  finished(live: LiveInstance): void;
}

export function createCloser(context: SupervisorContext, handlers: CloserHandlers): Closer {
  const { store, log } = context;

  const writeEnd = async (live: LiveInstance, status: CloseStatus, by: string): Promise<void> => {
    const { id } = live.row;
    live.lifetime.abort();
    const putBack = handlers.withdraw(live);
    const end = endOf(status, by);
    try {
      const { entries } = await store.call('journal.close', {
        id,
        incarnation: live.incarnation,
        events: [end],
        at: context.now(),
      });
      for (const entry of entries) followJournal(live, entry);
      live.row = (await store.call('instance.get', { id })) ?? live.row;
    } catch (error) {
      putBack();
      throw error;
    }
    handlers.finished(live);
  };

  const close: Closer['close'] = (live, status, by) => {
    live.closing ??= writeEnd(live, status, by).finally(() => {
      live.closing = null;
    });
    return live.closing;
  };

  return {
    close,
    closeLater: (live, status, by) => {
      close(live, status, by).catch((error: unknown) => {
        log.error('the stop of an instance could not be recorded', {
          instance: live.row.id,
          cause: ensureError(error).message,
        });
      });
    },
  };
}

function endOf(status: CloseStatus, by: string): Extract<RunEvent, { type: 'run.ended' }> {
  if (status === 'kill_switch') {
    const reason = `kill_switch: ${by}`;
    const error = { code: 'KILL_SWITCH', message: KILL_SWITCH_ENDED } as const;
    return { type: 'run.ended', status: 'killed', reason, error };
  }
  const reason = `${status} by ${by}`;
  const code = status === 'stopped' ? 'STOPPED' : 'KILLED';
  return { type: 'run.ended', status, reason, error: { code, message: `The run was ${reason}.` } };
}
