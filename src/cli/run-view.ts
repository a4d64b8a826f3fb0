import type { ControlNotification, StatusDocument, StepDocument } from '../protocol/control.ts';
import { duration, mark, printable, type Style, styleFor } from './style.ts';

/** The live picture of a run on stderr: a line for each step that ended, and below them what is running now. */
export interface RunView {
  note(text: string): void;
  begin(run: StatusDocument): void;
  take(notification: ControlNotification): void;
  /** Stops redrawing, for a question; `resume` goes on. */
  pause(): void;
  resume(): void;
  end(): void;
}

const REDRAW_MS = 100;
const MAX_LIVE_LINES = 8;
const QUIET = new Set(['pending', 'running', 'waiting', 'interrupted']);

export function createRunView(stream: NodeJS.WriteStream): RunView {
  const style = styleFor(stream);
  const running = new Map<string, { step: StepDocument; line: string }>();
  const shown = new Map<string, string>();
  let state = '';
  let drawn = 0;
  let timer: NodeJS.Timeout | null = null;
  let isPaused = false;

  const erase = (): void => {
    // Up over what was drawn, clearing to the end of the screen once: no flicker, nothing above is touched.
    if (drawn > 0) stream.write(`\u001b[${drawn}A\r\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (!stream.isTTY || isPaused) return;
    const now = Date.now();
    const lines = [...running.values()]
      .slice(0, MAX_LIVE_LINES)
      .map(({ step, line }) => liveLine(step, line, now, style));
    if (running.size > MAX_LIVE_LINES)
      lines.push(style.dim(`  … and ${running.size - MAX_LIVE_LINES} more running`));
    if (lines.length === 0 && state !== '') lines.push(style.dim(`  ${state}`));
    const width = stream.columns ?? 80;
    erase();
    for (const line of lines) stream.write(`${clip(line, width)}\n`);
    drawn = lines.length;
  };
  const print = (line: string): void => {
    erase();
    stream.write(`${line}\n`);
    draw();
  };
  const takeStep = (step: StepDocument): void => {
    const key = `${step.status}#${step.attempts}`;
    if (shown.get(step.path) === key) return;
    shown.set(step.path, key);
    if (step.status === 'running') {
      running.set(step.path, { step, line: '' });
      if (!stream.isTTY && (step.type === 'skill' || step.type === 'agent')) print(endLine(step, style));
      else draw();
      return;
    }
    running.delete(step.path);
    if (!QUIET.has(step.status) || step.status === 'waiting') print(endLine(step, style));
  };

  return {
    note: (text) => print(`${style.yellow('!')} ${printable(text)}`),
    begin: (run) => {
      print(`${style.bold(`${run.workflow} ${run.version}`)}  ${style.dim(run.id)}`);
      for (const step of run.steps) takeStep(step);
      if (stream.isTTY) timer = setInterval(draw, REDRAW_MS);
    },
    take: (notification) => {
      if (notification.method === 'instance.step') takeStep(notification.params.step);
      if (notification.method === 'instance.state') {
        state = notification.params.note ?? notification.params.status;
        if (notification.params.note !== null) print(style.dim(`  ${printable(notification.params.note)}`));
      }
      if (notification.method === 'instance.progress') {
        const entry = running.get(notification.params.path);
        if (entry !== undefined) entry.line = notification.params.line;
      }
    },
    pause: () => {
      erase();
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
    },
    end: () => {
      if (timer !== null) clearInterval(timer);
      erase();
    },
  };
}

function endLine(step: StepDocument, style: Style): string {
  const spent =
    step.started_at !== null && step.ended_at !== null
      ? style.dim(`  ${duration(Date.parse(step.ended_at) - Date.parse(step.started_at))}`)
      : '';
  const attempts = step.attempts > 1 ? style.dim(`  attempt ${step.attempts}`) : '';
  const word = step.status === 'completed' || step.status === 'running' ? '' : `  ${step.status}`;
  const why =
    step.error === null || step.status === 'running'
      ? ''
      : `  ${style.red(printable(step.error.message).slice(0, 200))}`;
  return `${mark(step.status, style)} ${step.path}${word}${spent}${attempts}${why}`;
}

function liveLine(step: StepDocument, line: string, now: number, style: Style): string {
  const spent = step.started_at === null ? '' : duration(now - Date.parse(step.started_at));
  const attempt = step.attempts > 1 ? ` attempt ${step.attempts}` : '';
  return `${style.cyan('▸')} ${step.path} ${style.dim(`${spent}${attempt} ${printable(line)}`)}`;
}

/** Cuts a line that may hold colours to a width, counting only what is seen. */
function clip(line: string, width: number): string {
  let seen = 0;
  let out = '';
  for (const piece of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (piece.startsWith('\u001b')) out += piece;
    else {
      out += piece.slice(0, Math.max(0, width - 1 - seen));
      seen += piece.length;
    }
  }
  return out;
}
