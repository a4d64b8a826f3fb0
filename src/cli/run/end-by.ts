import type { Client } from '../../client/client.ts';
import { isGoing } from '../../client/next-supervisor.ts';
import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';
import { hasEndedStatus } from '../exit-status.ts';

/**
 * Watches a run by one supervisor. Resolves with the state of the ended run, or null when the supervisor goes before.
 * `begun` is told how it is at first; `hear` what is told from then on.
 */
export async function endBy(
  client: Client,
  id: string,
  begun: (now: StatusDocument) => void | Promise<void>,
  hear: (notification: ControlNotification) => void = () => undefined,
): Promise<StatusDocument | null> {
  const told = new Promise<StatusDocument | null>((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve(notification.params);
      else hear(notification);
    });
    void client.closed.then(() => resolve(null));
  });
  try {
    const now = await client.call('instance.watch', { id });
    await begun(now);
    return hasEndedStatus(now.status) ? now : await told;
  } catch (error) {
    if (isGoing(error)) return null;
    throw error;
  }
}
