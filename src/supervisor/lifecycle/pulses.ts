import type { Scope } from '../../../sandbox/isolation.ts';
import { runDelayMs } from '../../../sandbox/run-delay.ts';
import { SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import { isPaused, type LiveInstance } from './live-instance.ts';

/** Finds instance processes whose event loop does not turn any more: blocked, or stopped by a signal. */
export interface Pulses {
  /** There may be something to look at now. */
  wake(): void;
  close(): void;
}

const LOOK_MS = 500;
/** A look that comes so much later than it should shows that we stood still ourselves, and heard nobody. */
const LATE_MS = 1_000;

/** `hung` is told once of each process. Looks only while there are any that beat. */
export function createPulses(
  lives: () => Iterable<LiveInstance>,
  hung: (live: LiveInstance, silentMs: number) => void,
  now: () => number = () => performance.now(),
  delayOf: (pid: number) => number | null = runDelayMs,
): Pulses & { look(): void } {
  let timer: NodeJS.Timeout | null = null;
  let lookedAt = now();
  const heldBefore = new WeakMap<Scope, number>();
  const delayBefore = new WeakMap<object, number>();

  /**
   * How long it was held for its CPU limit since the look before. Only where we hold it ourselves: what a kernel says is
   * the sum over all cores.
   */
  const heldMs = ({ scope }: LiveInstance): number => {
    if (scope === null || scope.record.backend !== 'polling') return 0;
    const ms = scope.usage('quick').cpuThrottledSeconds * 1000;
    const before = heldBefore.get(scope) ?? ms;
    heldBefore.set(scope, ms);
    return ms - before;
  };

  /**
   * How long it had no processor since the look before, on a machine that has more to do than it can. Looked at only of
   * one that has missed a beat: of a hundred it would cost too much. One that is stopped, or turns in a loop, has little.
   */
  const starvedMs = ({ process }: LiveInstance, hasMissed: boolean): number => {
    if (process === null) return 0;
    const ms = hasMissed ? delayOf(process.pid) : null;
    if (ms === null) {
      delayBefore.delete(process);
      return 0;
    }
    const before = delayBefore.get(process) ?? ms;
    delayBefore.set(process, ms);
    return ms - before;
  };

  const look = (): void => {
    const at = now();
    const missedMs = at - lookedAt - LOOK_MS;
    lookedAt = at;
    let isEmpty = true;
    for (const live of lives()) {
      isEmpty = false;
      const { pulse } = live;
      if (pulse === null) continue;
      const hasMissed = at - pulse.heardAt > pulse.everyMs;
      const excusedMs = (missedMs > LATE_MS ? missedMs : 0) + heldMs(live) + starvedMs(live, hasMissed);
      // What it sent while we stood still, or it was held, may have been read by now.
      pulse.heardAt = Math.min(at, pulse.heardAt + excusedMs);
      if (isPaused(live)) pulse.heardAt = at;
      const silentMs = at - pulse.heardAt;
      if (silentMs < allowedMs(pulse.everyMs) || live.endRequest !== null) continue;
      live.pulse = null;
      hung(live, silentMs);
    }
    if (isEmpty) close();
  };
  const close = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };

  return {
    wake: () => {
      if (timer !== null) return;
      lookedAt = now();
      timer = setInterval(look, LOOK_MS).unref();
    },
    close,
    look,
  };
}

/** So that even one that was heard just before it stopped is found within two beats. */
function allowedMs(everyMs: number): number {
  return 2 * everyMs - LOOK_MS;
}

/** In log and audit; its end does not wait for either. */
export function reportHung(
  { store, log, now }: SupervisorContext,
  live: LiveInstance,
  silentMs: number,
): void {
  const { id } = live.row;
  const data = {
    incarnation: live.incarnation,
    pid: live.process?.pid ?? null,
    silent_ms: Math.round(silentMs),
  };
  log.error('an instance process hangs and is ended', { instance: id, ...data });
  const entry = { type: 'instance.hung', at: now(), actor: SUPERVISOR, instance: id, data };
  store.call('audit.append', { entries: [entry] }).catch((error: unknown) => {
    log.error('a hung instance could not be recorded', { instance: id, cause: ensureError(error).message });
  });
}
