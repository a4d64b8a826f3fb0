import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowError } from '../errors/workflow-error.ts';
import { locateHome } from '../protocol/home.ts';
import { type Client, connect } from './client.ts';

/** A service manager has the next supervisor up within seconds. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 250;
/** One that leaves its instances running is gone within a second. */
const LEAVING_MS = 5000;

/** Said as soon as the supervisor is gone. */
const LOOKING = 'the supervisor went away; looking for the next one';

export interface Waiting {
  /** What is told when none comes, or nobody waits any more. */
  readonly message: string;
  readonly hint: string;
  /** Ends the wait at once. */
  readonly over?: AbortSignal;
  /** Takes the word that one is looked for; default: a line on stderr. */
  readonly tell?: (text: string) => void;
}

/**
 * For a command that follows something while supervisors change: a connection to the next one. It starts none: who
 * stopped the one before may have meant it. Throws SUPERVISOR_UNREACHABLE when none comes within 20 seconds.
 */
export async function nextSupervisor({ message, hint, over, tell = onStderr }: Waiting): Promise<Client> {
  tell(LOOKING);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await answering(await connect(locateHome(), 'must_run'));
    } catch (error) {
      if (!isGoing(error)) throw error;
      if (performance.now() > deadline || over?.aborted === true)
        throw new WorkflowError('SUPERVISOR_UNREACHABLE', message, { hint, cause: error });
    }
    // An abort is told by the next look.
    await pause(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

/** True of what a supervisor answers that leaves, and of the loss of one. */
export function isGoing(error: unknown): error is WorkflowError {
  return (
    error instanceof WorkflowError &&
    (error.code === 'SUPERVISOR_UNREACHABLE' || error.code === 'SHUTTING_DOWN')
  );
}

/**
 * Carries out `act`; where this supervisor refuses it because it is leaving, with the next one, which is started as soon
 * as it has left: no run is lost by a restart. `client` is the connection that answered, to be closed by the caller.
 * Throws SHUTTING_DOWN when the one that leaves takes longer than five seconds, as it waits for its instances.
 */
export async function withSuccessor<T>(
  first: Client,
  act: (client: Client) => Promise<T>,
): Promise<{ readonly client: Client; readonly answer: T }> {
  try {
    return { client: first, answer: await act(first) };
  } catch (error) {
    // Only this one says for sure that nothing was done.
    if (!(error instanceof WorkflowError) || error.code !== 'SHUTTING_DOWN') throw error;
    onStderr('the supervisor is stopping; waiting for it to leave');
    const late = pause(LEAVING_MS, 'late', { ref: false });
    if ((await Promise.race([first.closed, late])) === 'late') throw error;
  }
  const client = await connect(locateHome(), 'start');
  try {
    return { client, answer: await act(client) };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** One that is being killed takes connections for a moment more: only an answer shows that it is there. */
async function answering(client: Client): Promise<Client> {
  try {
    await client.call('supervisor.ping', {});
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function onStderr(text: string): void {
  process.stderr.write(`${text}\n`);
}
