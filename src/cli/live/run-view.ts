import type { Json } from '../../definition/workflow.ts';
import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';

/** What a person sees of a run while it goes on, on stderr. */
export interface RunView {
  note(text: string): void;
  /** `definition` tells of the steps to come; null where it could not be had. */
  begin(run: StatusDocument, definition: Json): void;
  take(notification: ControlNotification): void;
  /** How it is now, after a time in which nothing was heard. */
  renew(run: StatusDocument): void;
  /** Stops drawing, for a question; `resume` goes on. */
  pause(): void;
  resume(): void;
  end(): void;
}
