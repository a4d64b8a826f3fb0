import type { Client } from '../client/client.ts';
import type { SupervisorStatus } from '../protocol/control.ts';
import type { ServiceFacts } from '../protocol/service.ts';

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
  const { isServiceEnabled } = await import('../service/start.ts');
  return { ...status, service: { ...service, enabled: await isServiceEnabled(service) } };
}

/** Tells the supervisor to leave, and a service manager not to start it again. Resolves when it has left. */
export async function stopSupervisor(client: Client, instances: 'leave' | 'stop'): Promise<{ pid: number }> {
  const { service } = await client.call('supervisor.status', {});
  const stopped = await client.call('supervisor.stop', { instances });
  // It closes the connection when it leaves: then the lock is about to be free.
  await client.closed;
  if (service !== null) {
    const { stopService } = await import('../service/start.ts');
    await stopService(service);
  }
  return stopped;
}
