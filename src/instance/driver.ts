import type { Command, Engine, Outcome, Progress } from '../engine/contract.ts';
import type { RunEvent, StopKind } from '../engine/events.ts';
import { failpoint } from '../protocol/failpoint.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import type { Attempts, RunCommand } from './attempts.ts';
import { externalise, internalise } from './blobs.ts';
import type { SupervisorLink } from './supervisor-link.ts';

export interface Driver {
  /** Runs to the end, or to a point where nothing is to be done for long. Resolves when all is durable. */
  run(): Promise<'ended' | 'waiting'>;
  stop(kind: StopKind, by: string): void;
  /** Ends every attempt in flight without an outcome; resolves when their processes are gone. */
  abandon(): Promise<void>;
}

/** Effect-free steps may run ahead of their commits by this many events; an effect waits for all before it. */
const MAX_AHEAD = 256;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Drives one engine: journals its events, carries out its commands, feeds it the outcomes. */
export function createDriver(
  bootstrap: Bootstrap,
  engine: Engine,
  attempts: Attempts,
  link: SupervisorLink,
): Driver {
  const inFlight = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  const cancelling = new Set<Promise<void>>();
  const outcomes: Outcome[] = [];
  const effectFree: RunCommand[] = [];
  let wakeAt: number | null = null;
  let wakeTimer: NodeJS.Timeout | null = null;
  let isWaiting = false;
  let nudge: () => void = () => undefined;
  let isAbandoned = false;
  /** The end of the run, kept back until nothing of it is left: an ended run has no processes, whoever looks. */
  let end: RunEvent | null = null;

  const surroundings = (): { now: number; random: () => number } => ({
    now: Date.now(),
    random: Math.random,
  });

  const journal = (events: readonly RunEvent[]): void => {
    link.append(events.map((event) => externalise(bootstrap.folder, event)));
    for (const event of events) {
      if (event.type === 'run.waiting') isWaiting = true;
      if (event.type === 'run.resumed') isWaiting = false;
    }
  };

  const accept = (progress: Progress): void => {
    journal(progress.events.filter((event) => event.type !== 'run.ended'));
    end ??= progress.events.find((event) => event.type === 'run.ended') ?? null;
    for (const command of progress.commands) carryOut(command);
  };

  const carryOut = (command: Command): void => {
    switch (command.type) {
      case 'run':
        if (attempts.isEffectFree(command)) effectFree.push(command);
        else startEffect(command);
        return;
      case 'cancel': {
        const running = inFlight.get(keyOf(command.path, command.attempt));
        if (running === undefined) return;
        running.abort.abort();
        cancelling.add(running.done);
        void running.done.then(() => cancelling.delete(running.done));
        return;
      }
      case 'wake':
        wakeAt = wakeAt === null ? command.at : Math.min(wakeAt, command.at);
        return;
    }
  };

  const startEffect = (command: RunCommand): void => {
    const abort = new AbortController();
    const key = keyOf(command.path, command.attempt);
    const done = effect(command, abort.signal).then((outcome) => {
      inFlight.delete(key);
      if (outcome !== null) outcomes.push(outcome);
      failpoint('instance.effect_done');
      nudge();
    });
    inFlight.set(key, { abort, done });
  };

  const effect = async (command: RunCommand, signal: AbortSignal): Promise<Outcome | null> => {
    // What is being cancelled may still act: nothing that follows from the cancel starts beside it.
    while (cancelling.size > 0) await Promise.all(cancelling);
    if (signal.aborted || isAbandoned || !engine.isCurrent(command.path, command.attempt)) return null;
    journal([engine.begin(command.path, command.attempt, command.inputs)]);
    const permit = await link.permit(attempts.permitRequest(command));
    if (signal.aborted || isAbandoned) return null;
    if (permit.decision === 'deny')
      return {
        path: command.path,
        attempt: command.attempt,
        kind: 'failed',
        error: {
          code: 'POLICY_DENIED',
          message: `the step was refused: ${permit.reason}`,
          step: command.path,
        },
      };
    return attempts.run(command, signal);
  };

  const pump = async (): Promise<void> => {
    accept(engine.advance(surroundings()));
    for (;;) {
      const outcome = outcomes.shift();
      const free = outcome === undefined ? effectFree.shift() : undefined;
      if (outcome === undefined && free === undefined) return;
      const settled =
        outcome ??
        (free !== undefined && engine.isCurrent(free.path, free.attempt) ? attempts.settleNow(free) : null);
      if (settled === null) continue;
      accept(engine.settle(settled, surroundings()));
      accept(engine.advance(surroundings()));
      await link.atMostUnacked(MAX_AHEAD);
    }
  };

  const begin = (): void => {
    for (const entry of bootstrap.journal) engine.apply(internalise(bootstrap.folder, entry.event));
    if (bootstrap.journal.length === 0) {
      const started: RunEvent = { type: 'run.started', inputs: bootstrap.inputs, context: bootstrap.context };
      engine.apply(started);
      journal([started]);
    } else accept(engine.resume(bootstrap.cause === 'start' ? 'crash' : bootstrap.cause, bootstrap.from));
  };

  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      nudge = resolve;
      wakeTimer =
        wakeAt === null
          ? null
          : setTimeout(resolve, Math.min(MAX_TIMER_MS, Math.max(0, wakeAt - Date.now())));
      // Something may have come while we were pumping.
      if (outcomes.length > 0) resolve();
    });

  return {
    run: async () => {
      begin();
      for (;;) {
        wakeAt = null;
        // A timer that is left would keep the process alive after its run.
        if (wakeTimer !== null) clearTimeout(wakeTimer);
        await pump();
        if (isEnded(engine)) {
          while (cancelling.size > 0) await Promise.all(cancelling);
          await attempts.close();
          if (end !== null) journal([end]);
          await link.committed();
          return 'ended';
        }
        if (isWaiting && attempts.openSessions === 0 && inFlight.size === 0) {
          await link.committed();
          return 'waiting';
        }
        await sleep();
      }
    },
    stop: (kind, by) => {
      if (isEnded(engine)) return;
      accept(engine.stop(kind, by));
      nudge();
    },
    abandon: async () => {
      isAbandoned = true;
      for (const { abort } of inFlight.values()) abort.abort();
      await Promise.all([...inFlight.values()].map(({ done }) => done));
      await attempts.close();
    },
  };
}

function keyOf(path: string, attempt: number): string {
  return `${path}#${attempt}`;
}

function isEnded(engine: Engine): boolean {
  return ['completed', 'failed', 'stopped', 'killed', 'timed_out', 'rolled_back', 'rollback_failed'].includes(
    engine.state.status,
  );
}
