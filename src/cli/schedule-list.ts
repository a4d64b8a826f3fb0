import type { ScheduleDocument } from '../protocol/schedule-control.ts';
import { ago, printable } from './style.ts';
import { table, widthOf } from './table.ts';

export function scheduleTable(schedules: readonly ScheduleDocument[]): string {
  if (schedules.length === 0)
    return 'No registered workflow has a schedule. Register one: q workflow register <file>';
  const rows = schedules.map((schedule) => [
    schedule.workflow,
    nextText(schedule),
    schedule.next?.timezone ?? '',
    lastText(schedule),
    schedule.waiting === 0 ? '' : `${schedule.waiting} waiting`,
  ]);
  return table(['WORKFLOW', 'NEXT', 'ZONE', 'LAST', ''], rows, widthOf(process.stdout));
}

function nextText({ paused, problem, next }: ScheduleDocument): string {
  if (problem !== null) return printable(`cannot be read: ${problem}`);
  if (paused !== null) return printable(`paused by ${paused.by}`);
  return next === null ? 'none to come' : next.local.replace('T', ' ');
}

function lastText({ last }: ScheduleDocument): string {
  if (last === null) return 'never';
  const what = last.instance ?? last.reason ?? '';
  return printable(`${last.status} ${ago(last.at, Date.now())} ${what}`.trimEnd());
}
