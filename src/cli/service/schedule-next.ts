import type { Client } from '../../client/client.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { FireDocument } from '../../protocol/schedule-control.ts';
import { resolveTarget } from '../run/arguments.ts';
import type { Screen } from '../text/screen.ts';
import { table } from '../text/table.ts';
import { wrapText } from '../text/wrap.ts';

export interface NextFires {
  readonly workflow: string;
  readonly fires: readonly FireDocument[];
}

const CHANGES: Readonly<Record<NonNullable<FireDocument['change']>, string>> = {
  gap: 'shifted: the clock jumps over its time',
  fold_first: 'first of two: the clock is set back',
  fold_last: 'last of two: the clock is set back',
};

/** Asks for the coming fires. Throws USAGE for a `from` that is no instant with an offset. */
export async function nextFires(
  client: Client,
  given: string,
  count: number,
  from: string | null,
  caller: Caller,
): Promise<NextFires> {
  const at = from === null ? null : instantOf(from);
  const target = resolveTarget(given, caller.workspace);
  return client.call('schedule.next', { target, count, from: at, caller });
}

export function nextFiresText({ workflow, fires }: NextFires, { style, width }: Screen): string {
  if (fires.length === 0)
    return wrapText(`${workflow} has no fire to come. See all schedules: q workflow schedule list`, width);
  const rows = fires.map(({ at, local, timezone, change }) => [
    local.replace('T', ' '),
    timezone,
    at,
    change === null ? '' : CHANGES[change],
  ]);
  return table(['LOCAL', 'ZONE', 'UTC', ''].map(style.dim), rows, width);
}

function instantOf(text: string): number {
  const hasOffset = /T.*(?:Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const at = Date.parse(text);
  if (hasOffset && !Number.isNaN(at)) return at;
  throw new WorkflowError('USAGE', `--from takes an instant with its offset, and "${text}" is none`, {
    hint: 'Write it as 2026-03-28T00:00:00Z.',
  });
}
