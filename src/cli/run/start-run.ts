import { inheritedEnvironment } from '../../client/caller.ts';
import type { Client } from '../../client/client.ts';
import { modelEnvironment } from '../../client/model-environment.ts';
import { isGoing, nextSupervisor, withSuccessor } from '../../client/next-supervisor.ts';
import { EXIT, type ExitStatus } from '../../errors/table.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { RunRequest, StatusDocument } from '../../protocol/control.ts';
import { printResult } from '../base-command.ts';
import { canAsk, followRun } from './follow-run.ts';

/** What a run takes of who starts it: the variables that its steps inherit, and those of models. */
export function runEnvironment(caller: Caller): Pick<RunRequest, 'caller' | 'env' | 'modelEnv'> {
  return { caller, env: inheritedEnvironment(), modelEnv: modelEnvironment(caller.configHome) };
}

export interface StartOptions {
  readonly isJson: boolean;
  /** Prints the id and leaves it to itself. */
  readonly isDetached: boolean;
}

/**
 * Starts a run for a person and follows it to its end, or not; answers the command's exit status. What has to be approved
 * waits where somebody can be asked, or will look.
 */
export async function startRun(
  first: Client,
  caller: Caller,
  asked: Omit<RunRequest, 'caller' | 'env' | 'modelEnv'>,
  { isJson, isDetached }: StartOptions,
): Promise<ExitStatus> {
  const { client, answer: started } = await withSuccessor(first, (each) =>
    each.call('workflow.run', {
      ...runEnvironment(caller),
      ...asked,
      approvals: asked.approvals ?? (isDetached || canAsk(isJson) ? 'wait' : 'named'),
    }),
  );
  try {
    if (!isDetached) return await followRun(client, started, { isJson, caller });
    await printDetached(client, started, isJson);
    return EXIT.COMPLETED;
  } finally {
    if (client !== first) client.close();
  }
}

/** The id for people. As JSON the document that `status` prints, as of every run, and what was said at its start. */
export async function printDetached(
  client: Client,
  started: {
    readonly id: string;
    readonly notices: readonly string[];
    readonly problems?: readonly Problem[];
  },
  isJson: boolean,
): Promise<void> {
  const { id, notices, problems = [] } = started;
  const run = isJson ? await statusOf(client, id) : null;
  printResult({ ...run, notices, problems }, isJson, () => id);
}

/** It has begun, also when its supervisor is gone before it can say so. */
async function statusOf(client: Client, id: string): Promise<StatusDocument> {
  try {
    return await client.call('instance.status', { id });
  } catch (error) {
    if (!isGoing(error)) throw error;
  }
  const next = await nextSupervisor({
    message: `${id} was started, and the supervisor went away before it could say more`,
    hint: `Run q workflow status ${id}.`,
  });
  try {
    return await next.call('instance.status', { id });
  } finally {
    next.close();
  }
}
