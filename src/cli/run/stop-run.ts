import type { Client } from '../../client/client.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { hasEndedStatus } from '../exit-status.ts';

/** Asks for the stop and waits until the instance has really ended; the supervisor bounds the wait by killing. */
export async function stopRun(
  client: Client,
  given: string,
  isForced: boolean,
  caller: Caller,
): Promise<StatusDocument> {
  const { id } = await client.call('instance.status', { id: given });
  const ended = new Promise<StatusDocument>((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve(notification.params);
    });
  });
  const now = await client.call('instance.watch', { id });
  await client.call('instance.stop', { id, isForced, caller });
  if (hasEndedStatus(now.status)) return now;
  // A connection that is lost meanwhile answers this call with its error.
  const lost = client.closed.then(() => client.call('instance.status', { id }));
  return Promise.race([ended, lost]);
}
