import type { Client } from '../../client/client.ts';
import { nextSupervisor } from '../../client/next-supervisor.ts';
import type { Json } from '../../definition/workflow.ts';
import { EXIT, type ExitStatus } from '../../errors/table.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';
import { runExitStatus } from '../exit-status.ts';
import { canDraw, createRunView } from '../live/open-run-view.ts';
import { screenOf } from '../text/screen.ts';
import { summary } from '../text/summary.ts';
import { watchApprovals } from './approval-prompt.ts';
import { endBy } from './end-by.ts';
import { watchInterrupts } from './interrupts.ts';

/** True where a person can be asked: a terminal on both ends, and no JSON. */
export function canAsk(isJson: boolean): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !isJson;
}

export interface FollowOptions {
  readonly isJson: boolean;
  readonly caller: Caller;
}

/**
 * Shows a run live until it ends, and answers the command's exit status: also when the supervisor goes, as long as another
 * one comes soon. Ctrl-C on a terminal asks once whether to stop the run or leave it; a second one, or one without a
 * terminal, stops it. Throws SUPERVISOR_UNREACHABLE.
 */
export async function followRun(
  first: Client,
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

  let client = first;
  const over = new AbortController();
  const left = Promise.withResolvers<'left'>();
  const interrupts = watchInterrupts({
    id,
    canAsk: canAsk(options.isJson),
    stop: async () => {
      const asked = client;
      try {
        await asked.call('instance.stop', { id, isForced: false, caller: options.caller });
      } catch (error) {
        // That it is lost is told anyway, and the next one is asked again.
        if (!asked.isClosed()) throw error;
      }
    },
    leave: () => left.resolve('left'),
    view,
    over: over.signal,
  });
  const approvals = watchApprovals(() => client, id, {
    view,
    canAsk: canAsk(options.isJson),
    caller: options.caller,
    interrupted: interrupts.take,
    over: over.signal,
  });
  const hear = (notification: ControlNotification): void => {
    if (notification.method === 'instance.approval') approvals.look();
    else view?.take(notification);
  };
  const definition = view !== null && canDraw(process.stderr) ? await definitionOf(client, id) : null;
  const begun = (now: StatusDocument): void => {
    if (client === first) view?.begin(now, definition);
    else view?.renew(now);
    approvals.look();
  };
  const follow = async (): Promise<StatusDocument> => {
    for (;;) {
      const end = await endBy(client, id, begun, hear);
      if (end !== null) return end;
      const next = await nextSupervisor({
        message: `the supervisor went away while ${id} was running, and none has come since; the run goes on`,
        hint: `Run q workflow supervisor start, then q workflow status ${id} --watch.`,
        over: interrupts.away(),
        ...(view === null ? {} : { tell: (text: string) => view.note(text) }),
      });
      if (client !== first) client.close();
      client = next;
      interrupts.back();
    }
  };
  try {
    const end = await Promise.race([follow(), left.promise]);
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
  } catch (error) {
    over.abort();
    view?.end();
    throw error;
  } finally {
    if (client !== first) client.close();
  }
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
