import type { Client } from '../../client/client.ts';
import { nextSupervisor } from '../../client/next-supervisor.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { hasEndedStatus } from '../exit-status.ts';
import { endBy } from './end-by.ts';

/**
 * Asks for the stop and waits until the instance has really ended; the supervisor bounds the wait by killing. When that
 * goes meanwhile, the next one is asked. Throws SUPERVISOR_UNREACHABLE when none comes soon.
 */
export async function stopRun(
  first: Client,
  given: string,
  isForced: boolean,
  caller: Caller,
): Promise<StatusDocument> {
  const { id } = await first.call('instance.status', { id: given });
  let client = first;
  try {
    for (;;) {
      const end = await endBy(client, id, async (now) => {
        // The one before may have stopped it before it went.
        if (client === first || !hasEndedStatus(now.status))
          await client.call('instance.stop', { id, isForced, caller });
      });
      if (end !== null) return end;
      const next = await nextSupervisor({
        message: `the supervisor went away while ${id} was to be stopped, and none has come since`,
        hint: `Run q workflow supervisor start, then q workflow stop ${id}.`,
      });
      if (client !== first) client.close();
      client = next;
    }
  } finally {
    if (client !== first) client.close();
  }
}
