import { createLiveView } from './live-view.ts';
import { createPlainView } from './plain-view.ts';
import type { RunView } from './run-view.ts';

/** A tree drawn in place on a terminal, else a line for each thing that happens. */
export function createRunView(stream: NodeJS.WriteStream): RunView {
  return canDraw(stream) ? createLiveView(stream, process.env) : createPlainView(stream);
}

/** True on a terminal that can move its cursor. */
export function canDraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}
