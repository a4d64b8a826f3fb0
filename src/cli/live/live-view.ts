import { printable, styleFor } from '../text/style.ts';
import { createPainter } from './painter.ts';
import { createPicture, type PictureLook } from './picture.ts';
import { planOf } from './plan.ts';
import type { RunView } from './run-view.ts';

/** How often the times in it move on. */
const REDRAW_MS = 100;

/** The picture of a run on a terminal, drawn in place; what it looked like at the end stays there. */
export function createLiveView(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): RunView {
  const style = styleFor(stream);
  const picture = createPicture();
  const size = (): { columns: number; rows: number } => ({
    columns: Math.max(4, stream.columns || 80),
    rows: Math.max(3, stream.rows || 24),
  });
  const painter = createPainter({
    write: (text) => void stream.write(text),
    size,
    reflows: reflows(env),
  });
  /** What came while a question stands on the screen. */
  const kept: string[] = [];
  let isPaused = false;
  let timer: NodeJS.Timeout | null = null;

  const look = (): PictureLook => {
    const { columns, rows } = size();
    return { style, now: Date.now(), width: columns - 1, room: rows - 1 };
  };
  const paint = (): void => {
    if (!isPaused) painter.paint(picture.lines(look()));
  };
  const print = (text: string): void => {
    if (isPaused) kept.push(text);
    else painter.printAbove(text, picture.lines(look()));
  };
  const printKept = (): void => {
    isPaused = false;
    for (const text of kept.splice(0)) print(text);
  };
  let isGone = false;
  /** Ctrl-Z: the shell's prompt stands where the picture was. Without job control the kernel stops nothing. */
  const suspend = (): void => {
    painter.erase();
    isGone = true;
    process.off('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', suspend);
  };
  const goOn = (): void => {
    // After a stop that we did not see coming, others may have written below the picture.
    if (!isGone) painter.forget();
    isGone = false;
    paint();
  };

  return {
    note: (text) => print(`${style.yellow('!')} ${printable(text)}`),
    begin: (run, definition) => {
      picture.begin(run, planOf(definition));
      paint();
      timer = setInterval(paint, REDRAW_MS);
      stream.on('resize', paint);
      process.on('SIGTSTP', suspend);
      process.on('SIGCONT', goOn);
    },
    take: (notification) => picture.take(notification),
    renew: (run) => picture.renew(run),
    pause: () => {
      painter.erase();
      isPaused = true;
    },
    resume: () => {
      printKept();
      paint();
    },
    end: () => {
      printKept();
      if (timer !== null) clearInterval(timer);
      stream.off('resize', paint);
      process.off('SIGTSTP', suspend);
      process.off('SIGCONT', goOn);
      painter.paint(picture.lastLines(look()));
      painter.forget();
    },
  };
}

/** xterm, the Linux console and GNU screen cut their lines when they become narrower, all others break them. */
function reflows(env: NodeJS.ProcessEnv): boolean {
  return env['XTERM_VERSION'] === undefined && env['TERM'] !== 'linux' && env['STY'] === undefined;
}
