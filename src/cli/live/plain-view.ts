import type { StepDocument } from '../../protocol/control.ts';
import { duration, mark, printable, type Style, styleFor } from '../text/style.ts';
import type { RunView } from './run-view.ts';

const QUIET = new Set(['pending', 'running', 'waiting', 'interrupted']);

/** A run where nothing can be drawn in place: a line for each step that begins work, waits or ends. */
export function createPlainView(stream: NodeJS.WriteStream): RunView {
  const style = styleFor(stream);
  const shown = new Map<string, string>();
  /** What came while a question stands on the screen. */
  const kept: string[] = [];
  let isPaused = false;

  const print = (line: string): void => {
    if (isPaused) kept.push(line);
    else stream.write(`${line}\n`);
  };
  const printKept = (): void => {
    isPaused = false;
    for (const line of kept.splice(0)) print(line);
  };
  const takeStep = (step: StepDocument): void => {
    const key = `${step.status}#${step.attempts}`;
    if (shown.get(step.path) === key) return;
    shown.set(step.path, key);
    const isWork = step.type === 'skill' || step.type === 'agent';
    if (step.status === 'running' ? isWork : !QUIET.has(step.status) || step.status === 'waiting')
      print(stepLine(step, style));
  };

  return {
    note: (text) => print(`${style.yellow('!')} ${printable(text)}`),
    begin: (run) => {
      print(`${style.bold(`${run.workflow} ${run.version}`)}  ${style.dim(run.id)}`);
      for (const step of run.steps) takeStep(step);
    },
    renew: (run) => {
      for (const step of run.steps) takeStep(step);
    },
    take: (notification) => {
      if (notification.method === 'instance.step') takeStep(notification.params.step);
      if (notification.method === 'instance.state' && notification.params.note !== null)
        print(style.dim(`  ${printable(notification.params.note)}`));
    },
    pause: () => {
      isPaused = true;
    },
    resume: printKept,
    end: printKept,
  };
}

function stepLine(step: StepDocument, style: Style): string {
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
