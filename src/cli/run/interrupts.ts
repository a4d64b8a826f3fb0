import { ensureError } from '../../errors/workflow-error.ts';
import { ask } from '../ask.ts';
import type { RunView } from '../live/run-view.ts';

export interface InterruptOptions {
  readonly id: string;
  readonly canAsk: boolean;
  /** Asks the supervisor to stop the run. */
  readonly stop: () => Promise<unknown>;
  readonly leave: () => void;
  readonly view: RunView | null;
  /** Aborts when the run has ended: a question is taken back. */
  readonly over: AbortSignal;
}

/** What Ctrl-C and SIGTERM do to a run that is followed. */
export interface Interrupts {
  /** One more, that did not come as a signal. */
  readonly take: () => void;
  /** No supervisor is there to stop anything: the next interrupt aborts the signal, so that nobody waits for one. */
  readonly away: () => AbortSignal;
  /** One is there again. A stop that was asked for is asked for again: the one before may not have got to it. */
  readonly back: () => void;
}

/** Ctrl-C on a terminal asks once whether to stop the run or leave it; a second one, one without a terminal, or SIGTERM stops it. */
export function watchInterrupts({ id, canAsk, stop, leave, view, over }: InterruptOptions): Interrupts {
  let count = 0;
  let wantsStop = false;
  let away: AbortController | null = null;

  const askToStop = (): void => {
    wantsStop = true;
    process.stderr.write(`stopping ${id} …\n`);
    stop().catch((error: unknown) => {
      // It may just have ended by itself: then its end is on the way.
      process.stderr.write(`${ensureError(error).message}\n`);
    });
  };
  const take = (): void => {
    if (away !== null) {
      away.abort();
      return;
    }
    count += 1;
    if (count > 1 || !canAsk) {
      if (count <= 2) askToStop();
      return;
    }
    view?.pause();
    void ask('Stop it, or leave it running in the background? [s/L] ', over).then((answer) => {
      view?.resume();
      if (answer === 'interrupt') take();
      else if (answer === 'over') return;
      else if (/^s/i.test(answer.text.trim())) askToStop();
      else leave();
    });
  };
  process.on('SIGINT', take);
  process.on('SIGTERM', () => {
    if (away !== null) {
      away.abort();
      return;
    }
    count += 2;
    askToStop();
  });
  return {
    take,
    away: () => {
      away = new AbortController();
      return away.signal;
    },
    back: () => {
      away = null;
      if (wantsStop) askToStop();
    },
  };
}
