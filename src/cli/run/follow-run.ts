import type { Client } from '../../client/client.ts';
import type { Json } from '../../definition/workflow.ts';
import { EXIT, type ExitStatus } from '../../errors/table.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { ask } from '../ask.ts';
import { hasEndedStatus, runExitStatus } from '../exit-status.ts';
import { canDraw, createRunView } from '../live/open-run-view.ts';
import { screenOf } from '../text/screen.ts';
import { summary } from '../text/summary.ts';
import { watchApprovals } from './approval-prompt.ts';

/** True where a person can be asked: a terminal on both ends, and no JSON. */
export function canAsk(isJson: boolean): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !isJson;
}

export interface FollowOptions {
  readonly isJson: boolean;
  readonly caller: Caller;
}

/**
 * Shows a run live until it ends, and answers the command's exit status. Ctrl-C on a terminal asks once whether to
 * stop the run or leave it; a second one, or one without a terminal, stops it.
 */
export async function followRun(
  client: Client,
  started: {
    readonly id: string;
    readonly notices: readonly string[];
    readonly problems?: readonly { message: string; path: string }[];
  },
  options: FollowOptions,
): Promise<ExitStatus> {
  const { id } = started;
  const view = options.isJson ? null : createRunView(process.stderr);
  for (const problem of started.problems ?? []) view?.note(`${problem.path}: ${problem.message}`);
  for (const notice of started.notices) view?.note(notice);

  const over = new AbortController();
  let interrupt: () => void = () => undefined;
  const approvals = watchApprovals(client, id, {
    view,
    canAsk: canAsk(options.isJson),
    caller: options.caller,
    interrupted: () => interrupt(),
    over: over.signal,
  });
  const ending = new Promise<StatusDocument>((resolve, reject) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve(notification.params);
      else if (notification.method === 'instance.approval') approvals.look();
      else view?.take(notification);
    });
    void client.closed.then(() =>
      reject(
        new WorkflowError(
          'SUPERVISOR_UNREACHABLE',
          `the supervisor went away while ${id} was running; the run goes on`,
          {
            hint: `Run q workflow status ${id} --watch.`,
          },
        ),
      ),
    );
  });
  // The rejection is handled where it is awaited; without this an early one would count as unhandled.
  ending.catch(() => undefined);
  const definition = view !== null && canDraw(process.stderr) ? await definitionOf(client, id) : null;
  const now = await client.call('instance.watch', { id });
  view?.begin(now, definition);
  approvals.look();
  const left = new Promise<'left'>((resolve) => {
    interrupt = watchInterrupts(client, id, options, () => resolve('left'), view, over.signal);
  });
  const end = hasEndedStatus(now.status) ? now : await Promise.race([ending, left]);
  over.abort();
  view?.end();
  if (end === 'left') {
    process.stderr.write(`${id} goes on in the background: q workflow status ${id} --watch\n`);
    return EXIT.COMPLETED;
  }
  process.stdout.write(
    options.isJson ? `${JSON.stringify(end)}\n` : `${summary(end, screenOf(process.stdout))}\n`,
  );
  return runExitStatus(end);
}

/** Null where it cannot be had: then the steps to come are not shown. */
async function definitionOf(client: Client, id: string): Promise<Json> {
  try {
    return (await client.call('instance.definition', { id })).definition;
  } catch (error) {
    if (error instanceof WorkflowError) return null;
    throw error;
  }
}

function watchInterrupts(
  client: Client,
  id: string,
  options: FollowOptions,
  leave: () => void,
  view: ReturnType<typeof createRunView> | null,
  over: AbortSignal,
): () => void {
  let count = 0;
  const stop = (): void => {
    process.stderr.write(`stopping ${id} …\n`);
    client.call('instance.stop', { id, isForced: false, caller: options.caller }).catch((error: unknown) => {
      // It may just have ended by itself: then its end is on the way.
      process.stderr.write(`${ensureError(error).message}\n`);
    });
  };
  const interrupted = (): void => {
    count += 1;
    if (count > 1 || !canAsk(options.isJson)) {
      if (count <= 2) stop();
      return;
    }
    view?.pause();
    void ask('Stop it, or leave it running in the background? [s/L] ', over).then((answer) => {
      view?.resume();
      if (answer === 'interrupt') interrupted();
      else if (answer === 'over') return;
      else if (/^s/i.test(answer.text.trim())) stop();
      else leave();
    });
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', () => {
    count += 2;
    stop();
  });
  return interrupted;
}
