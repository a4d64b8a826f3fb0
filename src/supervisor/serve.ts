import type { OnStop } from '../protocol/service.ts';
import { openServiceLink } from './service-link.ts';
import type { Supervisor } from './supervisor.ts';

/** Obeys signals, and tells the service manager how we are, until the supervisor has left. */
export async function serve(supervisor: Supervisor, onStop: OnStop): Promise<void> {
  const { log } = supervisor.context;
  const link = openServiceLink(process.env, process.pid, log);
  // Nothing that we start speaks in our name.
  delete process.env['NOTIFY_SOCKET'];
  const summary = (): string => supervisor.summary();
  let isStopping = false;
  process.on('SIGTERM', () => {
    // The second one means now.
    const how = isStopping ? 'leave' : onStop;
    if (!isStopping) void link.stopping(how === 'drain' ? 'waiting for instances to end' : 'leaving');
    isStopping = true;
    void supervisor.stop(how);
  });
  process.on('SIGINT', () => void supervisor.stop('leave'));
  process.on('SIGHUP', () => {
    log.info('SIGHUP: reading policies');
    void link
      .reloading()
      .then(() => supervisor.reload())
      .then(() => link.ready(summary));
  });
  void link.ready(summary);
  await supervisor.left;
  link.close();
}
