/** A tree of steps as lines of text. */
import type { StepDocument } from '../../protocol/control.ts';
import { cutToWidth, displayWidth } from '../text/display-width.ts';
import { duration, mark, plural, printable, type Style } from '../text/style.ts';
import type { FoldedRow } from './fold.ts';
import { progressBar, progressOf } from './progress.ts';
import type { RowStatus, TreeRow } from './tree.ts';

export interface RowLook {
  readonly style: Style;
  readonly now: number;
  readonly width: number;
  /** The last line of output of a step, by its path. */
  readonly said: (path: string) => string | null;
}

const BAR_COLUMNS = 10;
/** On a narrow screen names come first; what is said behind them keeps so much, where there is so much. */
const MIN_LABEL = 24;
const MIN_DETAIL = 16;

/** How wide the columns of names and times want to be. They only grow, so that a picture does not jump about. */
export interface RowColumns {
  label: number;
  time: number;
}

/** Names below each other, then times, then what there is to say. */
export function rowLines(
  shown: readonly FoldedRow[],
  all: readonly TreeRow[],
  columns: RowColumns,
  look: RowLook,
): readonly string[] {
  const times = new Map(all.map((row) => [row, timeOf(row, look.now)]));
  const labels = new Map(all.map((row) => [row, labelOf(row)]));
  for (const time of times.values()) columns.time = Math.max(columns.time, time.length);
  for (const label of labels.values()) columns.label = Math.max(columns.label, displayWidth(label));
  const { time: timeWidth } = columns;
  const left = look.width - timeWidth - 2;
  const labelWidth = Math.max(
    2,
    Math.min(columns.label, Math.max(left - MIN_DETAIL - 2, Math.min(MIN_LABEL, left))),
  );
  const room = look.width - labelWidth - timeWidth - 4;
  return shown.map((each) => {
    if (each.kind === 'fold')
      return look.style.dim(cutToWidth(`${indent(each.depth)}… ${countsText(each.counts)}`, look.width));
    const { row } = each;
    const label = cutToWidth(labels.get(row) ?? '', labelWidth);
    const fill = ' '.repeat(labelWidth - displayWidth(label));
    const time = times.get(row) ?? '';
    const before = ' '.repeat(timeWidth - time.length);
    const detail = room < 4 ? '' : detailOf(row, look, room);
    return `${paintedLabel(row, label, look.style)}${fill}  ${before}${look.style.dim(time)}  ${detail}`.trimEnd();
  });
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

function labelOf(row: TreeRow): string {
  return `${indent(row.depth)}# ${printable(row.name)}`;
}

function paintedLabel(row: TreeRow, label: string, style: Style): string {
  const at = row.depth * 2;
  const name = label.slice(at + 1);
  const painted = row.status === 'pending' || row.status === 'skipped' ? style.dim(name) : name;
  return `${label.slice(0, at)}${label.length > at ? mark(row.isUndone ? 'rolled_back' : row.status, style) : ''}${painted}`;
}

function timeOf({ step }: TreeRow, now: number): string {
  if (step === null || step.started_at === null) return '';
  const end = step.ended_at === null ? now : Date.parse(step.ended_at);
  return duration(end - Date.parse(step.started_at));
}

/** `12 completed, 3 skipped` */
function countsText(counts: ReadonlyMap<RowStatus, number>): string {
  return Object.entries(WORDS)
    .flatMap(([status, word]) => {
      const count = counts.get(status as RowStatus);
      return count === undefined ? [] : [`${count} ${word}`];
    })
    .join(', ');
}

/** In the order in which they are told. */
const WORDS: Readonly<Record<RowStatus, string>> = {
  failed: 'failed',
  running: 'running',
  waiting: 'waiting',
  completed: 'completed',
  handled: 'handled',
  skipped: 'skipped',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
  pending: 'to come',
};

function detailOf(row: TreeRow, { style, said }: RowLook, room: number): string {
  const { step, planned, parts } = row;
  const attempt = step !== null && step.attempts > 1 ? `attempt ${step.attempts}` : '';
  switch (row.status) {
    case 'running': {
      if (parts.all > 0) return style.dim(cutToWidth(joined(attempt, partsText(row)), room));
      const line = printable(said(row.path) ?? '').trim();
      return runningText(attempt, line === '' ? (planned?.what ?? '') : line, style, room);
    }
    case 'waiting':
      return style.yellow(cutToWidth(joined(attempt, step === null ? '' : waitText(step)), room));
    case 'failed':
    case 'interrupted':
      // Why is said below, where it happened.
      if (parts.failed > 0)
        return style.dim(cutToWidth(joined(attempt, `${parts.failed} of ${parts.all} failed`), room));
      return style.red(cutToWidth(joined(attempt, printable(step?.error?.message ?? row.status)), room));
    case 'completed':
      return style.dim(
        cutToWidth(joined(attempt, row.turn === null ? '' : plural(row.turn + 1, 'turn')), room),
      );
    case 'skipped':
    case 'cancelled':
    case 'handled': {
      const why = step?.error == null ? '' : `: ${printable(step.error.message)}`;
      return style.dim(cutToWidth(joined(attempt, `${row.status}${why}`), room));
    }
    case 'pending':
      return '';
  }
}

function partsText({ turn, planned, parts }: TreeRow): string {
  if (turn === null) return `${parts.done} of ${parts.all}`;
  return `turn ${turn + 1}${planned?.most == null ? '' : ` of ${planned.most} at most`}`;
}

function runningText(attempt: string, line: string, style: Style, room: number): string {
  const progress = progressOf(line);
  if (progress === null) return style.dim(cutToWidth(joined(attempt, line), room));
  const bar = progressBar(progress.percent, BAR_COLUMNS);
  if (displayWidth(bar) > room) return '';
  const rest = cutToWidth(joined(progress.text, attempt), room - displayWidth(bar) - 2);
  return `${style.cyan(bar)}${rest === '' ? '' : `  ${style.dim(rest)}`}`;
}

function waitText({ approvals, error }: StepDocument): string {
  if (approvals.length > 0) return `waits for approval ${approvals.join(', ')}: q workflow approvals`;
  return error === null ? 'waits' : `tries again after: ${printable(error.message)}`;
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}
