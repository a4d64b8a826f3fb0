import type { ScheduleTrigger } from '../definition/workflow.ts';

/** A fire whose time has come and that has no decision yet. */
export interface DueFire {
  readonly at: number;
  /** `at` and its jitter. */
  readonly due: number;
  readonly trigger: Pick<ScheduleTrigger, 'catchUp' | 'catchUpWindowMs' | 'overlap'>;
}

export interface Situation {
  readonly now: number;
  /** What was due before came while nobody was there: no supervisor, a machine asleep, a clock set forward. */
  readonly awakeSince: number;
  /** An instance that a fire of this workflow started has not ended. */
  readonly isLive: boolean;
  /** Fires of it that wait for that. */
  readonly waitingCount: number;
}

/**
 * What to do with a fire. start: now. queue: when the earlier one has ended. replace: the same, and the earlier one is
 * stopped. skip: nothing, and it is recorded. miss: nothing for a group of neighbours, recorded as one.
 */
export type FireDecision =
  | { readonly action: 'start' | 'queue' | 'replace'; readonly at: number }
  | { readonly action: 'skip'; readonly at: number; readonly reason: string }
  | { readonly action: 'miss'; readonly from: number; readonly to: number; readonly count: number };

/** One that comes later than this was missed, though the supervisor was there. */
const LATE_MS = 60_000;
/** `all` and `queue` are bounded: a day of a schedule of every second would be 86,400 runs. */
export const MAX_CAUGHT_UP = 1000;
export const MAX_WAITING = 100;

/**
 * Decides due fires of one workflow, in the order of their instants; each is in exactly one decision. Missed ones go by
 * `catch_up` of their schedule, what is left by `overlap`.
 */
export function decideFires(fires: readonly DueFire[], situation: Situation): FireDecision[] {
  const given = catchUp(fires, situation);
  const decisions: FireDecision[] = [];
  let { isLive, waitingCount } = situation;
  const lastReplacing = fires.findLast(
    (fire) => given.has(fire) && fire.trigger.overlap === 'cancel_previous',
  );
  for (const fire of fires) {
    const decision = given.has(fire) ? overlap(fire, isLive, waitingCount, lastReplacing) : miss(fire.at);
    if (decision.action === 'start') isLive = true;
    if (decision.action === 'queue') waitingCount += 1;
    // What waited is superseded by it.
    if (decision.action === 'replace') waitingCount = 1;
    const before = decisions.at(-1);
    if (decision.action === 'miss' && before?.action === 'miss')
      decisions[decisions.length - 1] = { ...before, to: decision.to, count: before.count + 1 };
    else decisions.push(decision);
  }
  return decisions;
}

/** The fires that are on time, or missed and made up for. */
function catchUp(fires: readonly DueFire[], { now, awakeSince }: Situation): ReadonlySet<DueFire> {
  const horizon = Math.max(awakeSince, now - LATE_MS);
  const given = new Set(fires.filter(({ due }) => due >= horizon));
  const triggers = new Set(fires.map(({ trigger }) => trigger));
  for (const trigger of triggers) {
    if (trigger.catchUp === 'none') continue;
    const missed = fires.filter(
      (fire) => fire.trigger === trigger && !given.has(fire) && now - fire.at <= trigger.catchUpWindowMs,
    );
    for (const fire of missed.slice(trigger.catchUp === 'last' ? -1 : -MAX_CAUGHT_UP)) given.add(fire);
  }
  return given;
}

function overlap(
  fire: DueFire,
  isLive: boolean,
  waitingCount: number,
  lastReplacing: DueFire | undefined,
): FireDecision {
  const { at, trigger } = fire;
  const isFree = !isLive && waitingCount === 0;
  switch (trigger.overlap) {
    case 'allow':
      return { action: 'start', at };
    case 'skip':
      return isFree
        ? { action: 'start', at }
        : { action: 'skip', at, reason: 'an earlier instance has not ended' };
    case 'queue':
      if (isFree) return { action: 'start', at };
      return waitingCount < MAX_WAITING
        ? { action: 'queue', at }
        : { action: 'skip', at, reason: `${MAX_WAITING} fires wait already` };
    case 'cancel_previous':
      if (lastReplacing !== undefined && lastReplacing !== fire)
        return { action: 'skip', at, reason: 'superseded by a later fire' };
      return { action: isFree ? 'start' : 'replace', at };
  }
}

function miss(at: number): FireDecision {
  return { action: 'miss', from: at, to: at, count: 1 };
}
