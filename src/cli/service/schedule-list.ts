import type { ScheduleDocument } from '../../protocol/schedule-control.ts';
import type { ListColumn, Look } from '../text/list-flags.ts';
import { printable } from '../text/style.ts';

export const SCHEDULE_COLUMNS: readonly ListColumn<ScheduleDocument>[] = [
  { name: 'workflow', title: 'WORKFLOW', value: ({ workflow }) => workflow },
  { name: 'status', value: statusOf },
  { name: 'next', title: 'NEXT', isWhole: true, value: ({ next }) => next?.at ?? null, cell: nextText },
  { name: 'zone', title: 'ZONE', value: ({ next }) => next?.timezone ?? '' },
  { name: 'last', title: 'LAST', value: ({ last }) => last?.at ?? null, cell: lastText },
  { name: 'last_status', value: ({ last }) => last?.status ?? null },
  { name: 'last_instance', value: ({ last }) => last?.instance ?? null },
  {
    name: 'waiting',
    title: '',
    value: ({ waiting }) => waiting,
    cell: ({ waiting, problem }, { style }) =>
      problem === null ? (waiting === 0 ? '' : `${waiting} waiting`) : style.red(printable(problem)),
  },
  { name: 'problem', value: ({ problem }) => problem },
];

export const NO_SCHEDULES = 'No registered workflow has a schedule. Register one: q workflow register <file>';

function statusOf({ paused, problem, next }: ScheduleDocument): string {
  if (problem !== null) return 'broken';
  if (paused !== null) return 'paused';
  return next === null ? 'over' : 'active';
}

/** The wall clock of the schedule's own zone: what its author wrote down. */
function nextText({ paused, problem, next }: ScheduleDocument, { exact, style }: Look): string {
  if (problem !== null) return style.red('cannot be read');
  if (paused !== null) return style.yellow(printable(`paused by ${paused.by}`));
  if (next === null) return 'none to come';
  if (exact) return next.local.replace('T', ' ');
  const hasSeconds = next.local.slice(16, 19) !== ':00';
  return next.local.slice(0, hasSeconds ? 19 : 16).replace('T', ' ');
}

function lastText({ last }: ScheduleDocument, { time }: Look): string {
  if (last === null) return 'never';
  const what = last.instance ?? last.reason ?? '';
  return printable(`${last.status} ${time(last.at)} ${what}`.trimEnd());
}
