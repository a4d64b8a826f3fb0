import type { Client } from '../../client/client.ts';
import type { StatusDocument, StepDocument } from '../../protocol/control.ts';
import { hasEndedStatus } from '../exit-status.ts';
import { printable } from '../text/style.ts';
import type { ToolRoom } from './tool.ts';

/** Progress is for people who look on: four lines a second are enough, the end of a step among them or not. */
const PROGRESS_MS = 250;

/**
 * Waits until an instance has ended, the time is over or nobody waits any more, and answers its state then. The
 * instance goes on in each case.
 */
export async function followInstance(id: string, waitMs: number, room: ToolRoom): Promise<StatusDocument> {
  const { client, signal } = room;
  const ended = Promise.withResolvers<StatusDocument | null>();
  const tell = teller(room);
  client.onNotification((notification) => {
    if (notification.method === 'instance.ended') ended.resolve(notification.params);
    else if (notification.method === 'instance.step') tell(stepLine(notification.params.step));
    else if (notification.method === 'instance.state') tell(`${id} ${notification.params.status}`);
  });
  const now = await client.call('instance.watch', { id });
  if (hasEndedStatus(now.status)) return now;
  const giveUp = (): void => ended.resolve(null);
  const timer = setTimeout(giveUp, waitMs);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  // A connection that is lost meanwhile answers the next call with its error.
  void client.closed.then(giveUp);
  try {
    return (await ended.promise) ?? (signal.aborted ? now : await stateOf(client, id));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

function stateOf(client: Client, id: string): Promise<StatusDocument> {
  return client.call('instance.status', { id });
}

function stepLine({ path, status, error }: StepDocument): string {
  return printable(`${path} ${status}${error === null ? '' : `: ${error.code}`}`);
}

function teller(room: ToolRoom): (message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    room.progress(message);
  };
}
