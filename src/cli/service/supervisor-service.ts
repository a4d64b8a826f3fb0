import { type Client, connect } from '../../client/client.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import type { SupervisorStatus } from '../../protocol/control.ts';
import type { Home } from '../../protocol/home.ts';
import type { ServiceFacts } from '../../protocol/service.ts';
import { readServiceMark } from '../../service/service-mark.ts';

/** What `supervisor status` says of the service manager. */
export interface ShownService extends ServiceFacts {
  /** It starts by itself after a boot or login; null when the manager does not say. */
  readonly enabled: boolean | null;
}

export type ShownStatus = Omit<SupervisorStatus, 'service'> & { readonly service: ShownService | null };

/** The status, and whether its service is enabled: the manager is asked only where there is one. */
export async function shownStatus(client: Client): Promise<ShownStatus> {
  const { service, ...status } = await client.call('supervisor.status', {});
  if (service === null) return { ...status, service };
  const { isServiceEnabled } = await import('../../service/start.ts');
  return { ...status, service: { ...service, enabled: await isServiceEnabled(service) } };
}

/**
 * Tells the supervisor to leave, and a service manager not to start it again. Resolves when it has left. One that is
 * a service and does not answer (it is starting, or hangs) is stopped by its manager alone, which always leaves
 * instances running.
 */
export async function stopSupervisor(
  home: Home,
  instances: 'leave' | 'stop',
): Promise<{ pid: number | null }> {
  let client: Client;
  try {
    client = await connect(home, 'must_run');
  } catch (error) {
    const mark = readServiceMark(home);
    const isGone = ensureWorkflowError(error).code === 'SUPERVISOR_UNREACHABLE';
    if (!isGone || mark === null || instances === 'stop') throw error;
    await stopByManager(mark);
    return { pid: null };
  }
  const { service } = await client.call('supervisor.status', {});
  const stopped = await client.call('supervisor.stop', { instances });
  // It closes the connection when it leaves: then the lock is about to be free.
  await client.closed;
  if (service !== null) await stopByManager(service);
  return stopped;
}

async function stopByManager(service: ServiceFacts): Promise<void> {
  const { stopService } = await import('../../service/start.ts');
  await stopService(service);
}
