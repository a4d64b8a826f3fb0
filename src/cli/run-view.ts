import type { ControlNotification, StatusDocument, StepDocument } from '../protocol/control.ts';
import { clipToWidth, displayWidth } from './display-width.ts';
import { sparkline } from './sparkline.ts';
import { bytes, duration, mark, printable, type Style, styleFor } from './style.ts';

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
const USAGE_COLUMNS = 12;
const QUIET = new Set(['pending', 'running', 'waiting', 'interrupted']);

export function createRunView(stream: NodeJS.WriteStream): RunView {
  const style = styleFor(stream);
  const running = new Map<string, { step: StepDocument; line: string }>();
  const shown = new Map<string, string>();
  let state = '';
  let limits: StatusDocument['limits'] | null = null;
  const used: UsageNotice[] = [];
  let drawn: readonly string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isPaused = false;
  /** What came while a question stands on the screen. */
  const kept: string[] = [];

  const width = (): number => Math.max(2, stream.columns ?? 80);
  const erase = (): void => {
    // A terminal that became narrower has broken our lines into more rows since they were drawn.
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / width())), 0);
    // Row by row: tmux keeps a copy of what "clear to the end of the screen" takes when that is the whole screen.
    stream.write('\u001b[1A\u001b[2K'.repeat(rows));
    drawn = [];
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
    if (limits !== null && used.length > 0) lines.push(style.dim(usageLine(used, limits)));
    erase();
    drawn = lines.map((line) => clipToWidth(line, width() - 1));
    stream.write(drawn.map((line) => `${line}\n`).join(''));
  };
  const print = (line: string): void => {
    if (isPaused) {
      kept.push(line);
      return;
    }
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
      limits = run.limits;
      for (const step of run.steps) takeStep(step);
      if (stream.isTTY) timer = setInterval(draw, REDRAW_MS);
    },
    take: (notification) => {
      if (notification.method === 'instance.step') takeStep(notification.params.step);
      if (notification.method === 'instance.state') {
        state = notification.params.note ?? notification.params.status;
        if (notification.params.note !== null) print(style.dim(`  ${printable(notification.params.note)}`));
      }
      if (notification.method === 'instance.usage') {
        used.push(notification.params);
        if (used.length > USAGE_COLUMNS) used.shift();
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
      for (const line of kept.splice(0)) print(line);
    },
    end: () => {
      isPaused = false;
      for (const line of kept.splice(0)) print(line);
      if (timer !== null) clearInterval(timer);
      erase();
    },
  };
}

type UsageNotice = Extract<ControlNotification, { method: 'instance.usage' }>['params'];

/** The last line of the picture: what the whole instance uses now, against its limits. */
function usageLine(used: readonly UsageNotice[], limits: StatusDocument['limits']): string {
  const now = used.at(-1);
  if (now === undefined) return '';
  const memory = sparkline(
    used.map((notice) => notice.memory_bytes),
    limits.max_memory_mb * 1024 * 1024,
    USAGE_COLUMNS,
  );
  const cpu = sparkline(
    used.map((notice) => notice.cpu_percent),
    limits.max_cpu_percent,
    USAGE_COLUMNS,
  );
  return `  memory ${memory} ${bytes(now.memory_bytes)} of ${limits.max_memory_mb} MB   cpu ${cpu} ${now.cpu_percent} of ${limits.max_cpu_percent} %   processes ${now.processes} of ${limits.max_processes}${ioText(now)}`;
}

function ioText({ io_read_bytes: read, io_written_bytes: written }: UsageNotice): string {
  // A supervisor of an older version says nothing of it.
  return typeof read !== 'number' || typeof written !== 'number'
    ? ''
    : `   io ${bytes(read)} r · ${bytes(written)} w`;
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
