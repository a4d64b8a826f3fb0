import type { WorkflowError } from '../errors/workflow-error.ts';
import type { OnStop } from '../protocol/service.ts';
import { openServiceLink } from './service-link.ts';
import type { Supervisor } from './supervisor.ts';

/** Obeys signals, and tells the service manager how we are, until the supervisor has left; answers what drove it away. */
export async function serve(supervisor: Supervisor, onStop: OnStop): Promise<WorkflowError | null> {
  const { log } = supervisor.context;
  const link = openServiceLink(process.env, process.pid, log);
  // Nothing that we start speaks in our name.
  delete process.env['NOTIFY_SOCKET'];
  const summary = (): string => supervisor.summary();
  let isStopping = false;
  void supervisor.leaving.then((how) => {
    isStopping = true;
    void link.stopping(how === 'drain' ? 'waiting for instances to end' : 'leaving');
  });
  // The second one means now.
  process.on('SIGTERM', () => void supervisor.stop(isStopping ? 'leave' : onStop));
  process.on('SIGINT', () => void supervisor.stop('leave'));
  process.on('SIGHUP', () => {
    if (isStopping) return;
    log.info('SIGHUP: reading policies');
    void link
      .reloading()
      .then(() => supervisor.reload())
      .then(() => link.ready(summary));
  });
  void link.ready(summary);
  const loss = await supervisor.left;
  link.close();
  return loss;
}
