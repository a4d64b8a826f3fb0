import type { Command, Engine, Outcome, Progress } from '../engine/contract.ts';
import { stopEnd } from '../engine/drive-run.ts';
import type { RunEvent, StopKind } from '../engine/events.ts';
import { covers, type KillSubject, kindOf } from '../guard/kill/kill-scope.ts';
import { failpoint } from '../protocol/failpoint.ts';
import type { Bootstrap, Permit, SupervisorMessage } from '../protocol/instance-link.ts';
import { AT_ONCE } from '../skills/stop.ts';
import type { Attempts } from './attempts.ts';
import { heldAttempts, internalise } from './blobs.ts';
import type { Journal } from './journal.ts';
import type { Leave } from './leave.ts';
import { createRunClock } from './run-clock.ts';
import type { RunCommand } from './run-command.ts';
import { approvedOutcome, suspendedOn } from './suspended.ts';

type Trip = Omit<Extract<SupervisorMessage, { type: 'tripped' }>, 'type'>;

export interface Driver {
  /** Runs to the end, or to a point where nothing is to be done for long. Resolves when all is durable. */
  run(): Promise<'ended' | 'waiting'>;
  stop(kind: StopKind, by: string): void;
  /** An approval is decided: what waits for it goes on. */
  release(approval: number): void;
  /** Ends the attempts that a tripped kill switch covers; older permits count no more. Resolves when they are over. */
  trip(trip: Trip): Promise<void>;
  /** Ends every attempt in flight without an outcome; resolves when their processes are gone. */
  abandon(): Promise<void>;
}

interface InFlight {
  readonly command: RunCommand;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** The reason of the kill switch that ends it. */
  switchedOff: string | null;
}

/** Effect-free steps may run ahead of their commits by this many events; an effect waits for all before it. */
const MAX_AHEAD = 256;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Drives one engine: journals its events, carries out its commands, feeds it the outcomes. */
export function createDriver(
  bootstrap: Bootstrap,
  engine: Engine,
  attempts: Attempts,
  journal: Journal,
  leave: Leave,
): Driver {
  const inFlight = new Map<string, InFlight>();
  const cancelling = new Set<Promise<void>>();
  /** Approvals that are decided. */
  const released = new Set(
    bootstrap.approvals.filter(({ isDecided }) => isDecided).map(({ number }) => number),
  );
  const outcomes: Outcome[] = [];
  const effectFree: RunCommand[] = [];
  const clock = createRunClock(bootstrap.startsAt);
  let wakeAt: number | null = null;
  let wakeTimer: NodeJS.Timeout | null = null;
  let isWaiting = false;
  let wake: () => void = () => undefined;
  /** Something came since the last look: it may come while we are not asleep. */
  let isNudged = false;
  let isAbandoned = false;
  /** The end of the run, kept back until nothing of it is left: an ended run has no processes, whoever looks. */
  let end: RunEvent | null = null;

  const surroundings = (): { now: number; random: () => number } => ({
    now: clock.now(),
    random: Math.random,
  });

  const write = (events: readonly RunEvent[]): void => {
    journal.append(events);
    for (const event of events) {
      if (event.type === 'run.waiting') isWaiting = true;
      if (event.type === 'run.resumed') isWaiting = false;
    }
  };

  const nudge = (): void => {
    isNudged = true;
    wake();
  };

  const accept = (progress: Progress): void => {
    write(progress.events.filter((event) => event.type !== 'run.ended'));
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
      const switchedOff = inFlight.get(key)?.switchedOff ?? null;
      inFlight.delete(key);
      const told = outcome ?? (switchedOff === null ? null : refused(command, 'KILL_SWITCH', switchedOff));
      if (told !== null) outcomes.push(told);
      failpoint('instance.effect_done');
      nudge();
    });
    inFlight.set(key, { command, abort, done, switchedOff: null });
  };

  const subjectOf = ({ path, step }: RunCommand): KillSubject => ({
    workflow: bootstrap.workflow.name,
    instance: bootstrap.instance,
    agent: step.type === 'agent' ? step.agent : null,
    tool: null,
    path,
  });

  const effect = async (command: RunCommand, signal: AbortSignal): Promise<Outcome | null> => {
    // What is being cancelled may still act: nothing that follows from the cancel starts beside it.
    while (cancelling.size > 0) await Promise.all(cancelling);
    if (signal.aborted || isAbandoned || !engine.isCurrent(command.path, command.attempt)) return null;
    write([engine.begin(command.path, command.attempt, command.inputs)]);
    const permit = await leave.ask(attempts.permitRequest(command), signal);
    if (permit === null || signal.aborted || isAbandoned) return null;
    if (permit.decision === 'wait')
      return suspendedOn(command, permit.approval === undefined ? [] : [permit.approval]);
    if (permit.code !== null) return refused(command, permit.code, permit.reason);
    return command.step.type === 'approval'
      ? approvedOutcome(command, permit)
      : attempts.run(command, signal);
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
      // Until when it waits was told by the supervisor, by its clock.
      if (settled.kind === 'suspended' && settled.until <= clock.now()) clock.follow();
      accept(engine.settle(settled, surroundings()));
      // The decision may have come before the attempt had let go.
      if (settled.kind === 'suspended')
        for (const approval of settled.approvals)
          if (released.has(approval)) accept(engine.release(approval));
      accept(engine.advance(surroundings()));
      await journal.atMostUnacked(MAX_AHEAD);
    }
  };

  const begin = (): void => {
    const held = heldAttempts(bootstrap.journal);
    for (const { event } of bootstrap.journal) engine.apply(internalise(bootstrap.folder, event, held));
    const hasStarted = bootstrap.journal.some(({ event }) => event.type === 'run.started');
    const isOver = bootstrap.journal.at(-1)?.event.type === 'run.ended';
    // One that was ended in the queue and opened again has not begun either.
    if (bootstrap.journal.length === 0 || (isOver && !hasStarted)) {
      const started: RunEvent = { type: 'run.started', inputs: bootstrap.inputs, context: bootstrap.context };
      engine.apply(started);
      write([started]);
    } else {
      const resumed = engine.resume(bootstrap.cause === 'start' ? 'crash' : bootstrap.cause, bootstrap.from);
      accept(resumed);
      write(attempts.recover(resumed.events));
      for (const approval of released) accept(engine.release(approval));
    }
  };

  /** A stop may give up the outcome that this end follows from, while it waits for room: then another end is written. */
  const writeEnd = async (): Promise<void> => {
    for (let written: RunEvent | null = null; written !== end; ) {
      written = end;
      if (written !== null) journal.append([written]);
      await journal.committed();
    }
  };

  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      wakeTimer =
        wakeAt === null
          ? null
          : setTimeout(resolve, Math.min(MAX_TIMER_MS, Math.max(0, wakeAt - clock.now())));
      if (isNudged) resolve();
    });

  return {
    run: async () => {
      begin();
      for (;;) {
        wakeAt = null;
        // A timer that is left would keep the process alive after its run.
        if (wakeTimer !== null) clearTimeout(wakeTimer);
        isNudged = false;
        await pump();
        if (isEnded(engine)) {
          while (cancelling.size > 0) await Promise.all(cancelling);
          await attempts.close();
          journal.append([...attempts.abandoned(), ...attempts.runLimits()]);
          await writeEnd();
          return 'ended';
        }
        if (isWaiting && attempts.openSessions === 0 && inFlight.size === 0) {
          await journal.committed();
          return 'waiting';
        }
        if (wakeAt === null) clock.follow();
        await sleep();
      }
    },
    stop: (kind, by) => {
      const lost = journal.giveUp();
      if (lost !== null) end = stopEnd(kind, by, `; ${lost} found no room and is not kept`);
      if (isEnded(engine)) return;
      accept(engine.stop(kind, by));
      nudge();
    },
    release: (approval) => {
      released.add(approval);
      if (isEnded(engine)) return;
      accept(engine.release(approval));
      nudge();
    },
    trip: async ({ scope, reason, epoch, isGentle }) => {
      leave.renew(epoch);
      const covered = [...inFlight.values()].filter(({ command }) => covers(scope, subjectOf(command)));
      for (const running of covered) {
        running.switchedOff ??= reason;
        running.abort.abort(isGentle ? undefined : AT_ONCE);
      }
      const calls = kindOf(scope) === 'tool' ? attempts.endCalls(scope, reason, isGentle) : null;
      await Promise.all([...covered.map(({ done }) => done), calls]);
    },
    abandon: async () => {
      isAbandoned = true;
      for (const { abort } of inFlight.values()) abort.abort();
      await Promise.all([...inFlight.values()].map(({ done }) => done));
      await attempts.close();
    },
  };
}

function refused(command: RunCommand, code: NonNullable<Permit['code']>, reason: string): Outcome {
  const error = { code, message: `the step was refused: ${reason}`, step: command.path };
  return { path: command.path, attempt: command.attempt, kind: 'failed', error };
}

function keyOf(path: string, attempt: number): string {
  return `${path}#${attempt}`;
}

function isEnded(engine: Engine): boolean {
  return ['completed', 'failed', 'stopped', 'killed', 'timed_out', 'rolled_back', 'rollback_failed'].includes(
    engine.state.status,
  );
}
