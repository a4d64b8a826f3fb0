import type { SandboxGround } from '../../../sandbox/launcher/ground.ts';
import { SCRATCH_VARIABLE } from '../../../sandbox/launcher/launch.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { SupervisorContext } from '../context.ts';
import { bootKeys } from '../definitions/model-keys.ts';
import type { Pins } from '../definitions/pins.ts';
import { bootApproval } from '../guard/approval-list.ts';
import { policiesOf } from '../guard/run-policies.ts';
import { bootSandbox, type SandboxPlan } from '../sandboxes/sandbox-plan.ts';
import { makeScratch } from '../sandboxes/scratch.ts';
import { environmentOf } from '../sandboxes/users.ts';
import type { LiveInstance } from './live-instance.ts';
import { readRow } from './read-live.ts';
import { waitedUntil } from './waits.ts';

/** A process without a supervisor for so long ends by itself. */
const ORPHAN_TIMEOUT_MS = 600_000;

/** What the next process of an instance is started for, and with. */
export interface Boot {
  readonly token: string;
  readonly cause: Bootstrap['cause'];
  readonly pins: Pins;
  readonly plan: SandboxPlan;
  readonly ground: SandboxGround;
}

/** All that the process of an instance needs to know. Its scope is open; reads the row anew, makes the scratch folder. */
export async function bootstrap(
  context: SupervisorContext,
  live: LiveInstance,
  { token, cause, pins, plan, ground }: Boot,
): Promise<Bootstrap> {
  const { home, store } = context;
  const [row, journal] = await Promise.all([readRow(store, live.row.id), readJournal(store, live.row.id)]);
  live.row = row;
  const { agentPolicies } = await policiesOf(context, live);
  const isReopened = journal.at(-1)?.event.type === 'run.ended';
  if (live.scope === null) throw new WorkflowError('INTERNAL', `the scope of ${row.id} is missing`);
  const scratch = makeScratch(row.id, ground.user);
  return {
    instance: row.id,
    incarnation: live.incarnation,
    token,
    socket: home.instanceSocket,
    folder: instanceFolder(home, row.id),
    secretsFolder: home.secretsFolder,
    killFolder: home.killFolder,
    maskKey: context.maskKey,
    workspace: row.workspace,
    workflow: pins.workflow,
    skills: pins.skills,
    agents: pins.agents,
    ...bootKeys(home, row.id, pins),
    agentPolicies,
    inputs: row.inputs,
    context: row.context,
    journal,
    approvals: live.approvals.map(bootApproval),
    scope: live.scope.record,
    sandbox: bootSandbox(plan, ground),
    scratch,
    env: { ...environmentOf(row.env, ground.user), TMPDIR: scratch, [SCRATCH_VARIABLE]: scratch },
    lastProcess: live.lastProcess,
    remainingMs: Math.max(0, row.limits.executionMs - row.activeMs),
    startsAt: Math.max(journal.at(-1)?.at ?? 0, cause === 'wait_over' ? waitedUntil(live, journal) : 0),
    // A journal that ends was opened again by a person, whatever happened to the processes since.
    cause:
      journal.length === 0 ? 'start' : isReopened ? 'requested' : cause === 'requested' ? 'crash' : cause,
    from: isReopened ? row.resumeFrom : null,
    orphanTimeoutMs: ORPHAN_TIMEOUT_MS,
  };
}
