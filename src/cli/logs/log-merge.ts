import type { LogGap, LogLine } from './log-cursor.ts';
import type { StepLogFile } from './log-files.ts';

export type LogItem = LogLine | LogGap;

/** A log that is to be merged with others. */
export interface LogSource {
  readonly log: StepLogFile;
  /** No item of it is earlier. What is later than all else that is read stays closed until its time comes. */
  readonly startsAt: number;
  open(): Iterator<LogItem>;
}

interface Head {
  readonly log: StepLogFile;
  readonly items: Iterator<LogItem>;
  item: LogItem;
}

/**
 * The items of all logs in the order of time; of one log in its own order, and at the same time in the order of
 * `sources`. Holds one item of each log that is open.
 */
export function* merged(sources: readonly LogSource[]): Generator<readonly [StepLogFile, LogItem]> {
  // Sorting is stable: those that start together keep their order.
  const closed = [...sources].sort((a, b) => a.startsAt - b.startsAt);
  const order = new Map(sources.map(({ log }, index) => [log, index]));
  const heads: Head[] = [];
  let opened = 0;
  for (;;) {
    let first = earliest(heads);
    for (let next = closed[opened]; next !== undefined; next = closed[opened]) {
      if (first !== null && next.startsAt > first.item.at) break;
      opened += 1;
      const items = next.open();
      const { value, done } = items.next();
      if (done === true) continue;
      heads.push({ log: next.log, items, item: value });
      heads.sort((a, b) => (order.get(a.log) ?? 0) - (order.get(b.log) ?? 0));
      first = earliest(heads);
    }
    if (first === null) return;
    yield [first.log, first.item];
    const { value, done } = first.items.next();
    if (done === true) heads.splice(heads.indexOf(first), 1);
    else first.item = value;
  }
}

/** Few are open at once, as many as steps ran at the same time: a heap would save nothing. */
function earliest(heads: readonly Head[]): Head | null {
  let first: Head | null = null;
  for (const head of heads) if (first === null || head.item.at < first.item.at) first = head;
  return first;
}
