import type { Json } from '../../definition/workflow.ts';
import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';
import { createLiveView } from '../live/live-view.ts';
import { createPlainView } from '../live/plain-view.ts';

/** What a person sees of a run while it goes on, on stderr. */
export interface RunView {
  note(text: string): void;
  /** `definition` tells of the steps to come; null where it could not be had. */
  begin(run: StatusDocument, definition: Json): void;
  take(notification: ControlNotification): void;
  /** Stops drawing, for a question; `resume` goes on. */
  pause(): void;
  resume(): void;
  end(): void;
}

/** A tree drawn in place on a terminal, else a line for each thing that happens. */
export function createRunView(stream: NodeJS.WriteStream): RunView {
  return canDraw(stream) ? createLiveView(stream, process.env) : createPlainView(stream);
}

/** True on a terminal that can move its cursor. */
export function canDraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}
