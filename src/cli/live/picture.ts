/** What is known of a run that is followed, and how a terminal shows it. */
import type { ControlNotification, StatusDocument, StepDocument } from '../../protocol/control.ts';
import { cutToWidth, displayWidth } from '../text/display-width.ts';
import { duration, mark, plural, printable, type Style } from '../text/style.ts';
import { folded } from './fold.ts';
import type { PlannedStep } from './plan.ts';
import { type RowColumns, rowLines } from './rows.ts';
import { type TreeRow, treeRows } from './tree.ts';
import { MAX_LOOKS, type Usage, usageLine } from './usage-line.ts';

export interface Picture {
  begin(run: StatusDocument, plan: readonly PlannedStep[]): void;
  take(notification: ControlNotification): void;
  /** How it is now, after a time in which nothing was heard. */
  renew(run: StatusDocument): void;
  /** The lines for a terminal of this size: at most `room` of them, none wider than `width`. */
  lines(look: PictureLook): readonly string[];
  /** How it is left on the screen when nothing more comes. */
  lastLines(look: PictureLook): readonly string[];
}

export interface PictureLook {
  readonly style: Style;
  readonly now: number;
  readonly width: number;
  readonly room: number;
}

/** The head and the line of usage. */
const FRAME_LINES = 2;

export function createPicture(): Picture {
  const steps = new Map<string, StepDocument>();
  const said = new Map<string, string>();
  const used: Usage[] = [];
  let plan: readonly PlannedStep[] = [];
  let run: StatusDocument | null = null;
  let status = '';
  let note: string | null = null;
  let rows: readonly TreeRow[] | null = null;
  // `12.3 s` from the beginning.
  const columns: RowColumns = { label: 0, time: 6 };

  const takeStep = (step: StepDocument): void => {
    const before = steps.get(step.path);
    // What an earlier attempt said is not said by this one.
    if (step.status !== 'running' || before?.attempts !== step.attempts) said.delete(step.path);
    steps.set(step.path, step);
    rows = null;
  };
  const tree = (look: PictureLook, room: number): readonly string[] => {
    rows ??= treeRows(steps.values(), plan);
    return rowLines(folded(rows, Math.max(1, room)), rows, columns, {
      ...look,
      said: (path) => said.get(path) ?? null,
    });
  };

  return {
    begin: (begun, planned) => {
      run = begun;
      status = begun.status;
      plan = planned;
      // What was heard already is newer.
      for (const step of begun.steps) if (!steps.has(step.path)) takeStep(step);
    },
    renew: (now) => {
      run = now;
      status = now.status;
      note = null;
      for (const step of now.steps) {
        const before = steps.get(step.path);
        // Its end was heard already, after this was written.
        const isOld = before !== undefined && before.ended_at !== null && before.attempts >= step.attempts;
        if (!isOld) takeStep(step);
      }
    },
    take: (notification) => {
      switch (notification.method) {
        case 'instance.step':
          takeStep(notification.params.step);
          return;
        case 'instance.state':
          ({ status, note } = notification.params);
          return;
        case 'instance.usage':
          used.push(notification.params);
          if (used.length > MAX_LOOKS) used.shift();
          return;
        case 'instance.progress':
          said.set(notification.params.path, notification.params.line);
          return;
        default:
          return;
      }
    },
    lines: (look) => {
      if (run === null) return [];
      rows ??= treeRows(steps.values(), plan);
      const usage = usageLine(used, run.limits, look.style, look.width);
      const lines = tree(look, look.room - FRAME_LINES);
      const head = headLine(run, status, note, rows, look);
      // On a screen of three lines the steps are what counts.
      return [head, ...lines, ...(usage === null ? [] : [usage])].slice(0, Math.max(1, look.room));
    },
    lastLines: (look) => {
      if (run === null) return [];
      const title = `${run.workflow} ${run.version}`;
      const head = `${look.style.bold(cutToWidth(title, look.width))}`;
      const id = displayWidth(title) + 2 + run.id.length > look.width ? '' : `  ${look.style.dim(run.id)}`;
      return [`${head}${id}`, ...tree(look, look.room - 1)];
    },
  };
}

function headLine(
  run: StatusDocument,
  status: string,
  note: string | null,
  rows: readonly TreeRow[],
  { style, now, width }: PictureLook,
): string {
  const top = rows.filter(({ depth }) => depth === 0);
  const done = top.filter(
    ({ status: each }) => each !== 'pending' && each !== 'running' && each !== 'waiting',
  );
  const title = cutToWidth(`${run.workflow} ${run.version}`, width - 2);
  const facts = [
    run.id,
    run.started_at === null ? '' : duration(now - Date.parse(run.started_at)),
    status === 'running' ? '' : note === null ? status : printable(note),
    top.length === 0 ? '' : `${done.length} of ${plural(top.length, 'step')}`,
  ].filter((fact) => fact !== '');
  const rest = cutToWidth(`  ${facts.join('  ')}`, width - 2 - displayWidth(title));
  return `${mark(status, style)} ${style.bold(title)}${style.dim(rest)}`.trimEnd();
}
