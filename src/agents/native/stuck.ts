import type { ToolOutcome } from '../../engine/agent-events.ts';
import type { StuckLimits } from '../../guard/stuck.ts';

/** A call that has ended: what was asked in canonical form, and what came of it. */
export interface CallRecord {
  readonly iteration: number;
  readonly key: string;
  readonly outcome: ToolOutcome;
  readonly hash: string;
}

/**
 * Why an agent goes round in circles: the same calls with the same results in so many answers running, two answers in
 * turn (A B A B) with the same results, or so many denials and errors in a row. Null while it gets somewhere. The calls
 * of one answer count together: it had no chance yet to learn from them.
 */
export function stuckReason(calls: readonly CallRecord[], limits: StuckLimits): string | null {
  const failed = calls.slice(calls.findLastIndex(({ outcome }) => outcome === 'ok') + 1);
  const hadChance = limits.denials === 1 || failed[0]?.iteration !== failed.at(-1)?.iteration;
  if (failed.length >= limits.denials && failed.length > 0 && hadChance)
    return `${failed.length} tool calls in a row were denied or failed`;
  const answers = [...Map.groupBy(calls, ({ iteration }) => iteration).values()].map((group) => ({
    // They may end in any order.
    mark: group
      .map(({ key, hash }) => `${key}\0${hash}`)
      .sort()
      .join('\0'),
    shown: group.map(({ key }) => shortened(key)).join(', '),
  }));
  const same = answers.slice(-limits.sameCall);
  const [first] = same;
  if (first !== undefined && same.length === limits.sameCall && same.every(({ mark }) => mark === first.mark))
    return `the same call gave the same result ${limits.sameCall} times: ${first.shown}`;
  const turns = answers.slice(-2 * limits.alternating);
  const [a, b] = turns;
  if (a === undefined || b === undefined || turns.length < 2 * limits.alternating || a.mark === b.mark)
    return null;
  return turns.every(({ mark }, index) => mark === (index % 2 === 0 ? a.mark : b.mark))
    ? `two calls alternate with the same results: ${a.shown} and ${b.shown}`
    : null;
}

function shortened(key: string): string {
  return key.length <= 80 ? key : `${key.slice(0, 79)}…`;
}
