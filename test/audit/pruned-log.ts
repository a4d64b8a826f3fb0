/** The log of real runs, a day and more later: sealed, pruned, signed and anchored, as its supervisor would. */
import { appendFileSync, readFileSync } from 'node:fs';
import { anchorLine } from '../../src/audit/anchor.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import { SUPERVISOR } from '../../src/audit/record.ts';
import type { Arguments, OperationName } from '../../src/store/operations.ts';
import { openWriter } from '../../src/store/writer.ts';
import type { LogCopy } from './real-log.ts';

const DAY_MS = 86_400_000;

/** Two sealed segments, of which the first is pruned, and records behind both. */
export function pruneLog(log: LogCopy): void {
  const newest = Number(log.get('SELECT max(at) AS at FROM audit')['at']);
  const writer = openWriter(log.file, 'boot');
  const one = <K extends OperationName>(name: K, args: Arguments<K>): unknown => {
    const [reply] = writer.run([{ id: 0, name, args }]);
    if (reply === undefined || !('answer' in reply)) throw new Error(JSON.stringify(reply));
    return reply.answer;
  };
  const sign = (day: number): void => {
    const made = one('audit.checkpoint', { at: newest + day * DAY_MS }) as Checkpoint | null;
    if (made !== null) appendFileSync(log.anchor, anchorLine(made));
  };
  const say = (day: number): unknown =>
    one('audit.append', {
      entries: [
        {
          type: 'test.said',
          at: newest + day * DAY_MS,
          actor: SUPERVISOR,
          instance: null,
          data: {},
          payload: [day],
        },
      ],
    });
  try {
    sign(1);
    say(1);
    sign(2);
    say(2);
    if (one('audit.prune', { before: newest + 1, at: newest + 3 * DAY_MS, actor: SUPERVISOR }) === null)
      throw new Error('nothing was pruned');
    sign(3);
    say(3);
    sign(3);
  } finally {
    writer.close();
  }
}

/** What the anchor had at an earlier time: its first lines. */
export function cutAnchor(log: LogCopy, lines: number): void {
  log.writeAnchor(readFileSync(log.anchor, 'utf8').trimEnd().split('\n').slice(0, -lines));
}
