import { Flags } from '@oclif/core';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { SupervisorStatus } from '../../protocol/control.ts';
import { ISOLATION_REQUESTS, type IsolationRequest } from '../../protocol/isolation-request.ts';

export const isolationFlag = Flags.option({
  options: ISOLATION_REQUESTS,
  description:
    'what holds the limits of instances (default: the strongest there is, or Q_WORKFLOW_ISOLATION)',
})();

/** Throws SUPERVISOR_RUNNING when a supervisor that ran already has another isolation than was asked for. */
export function refuseOtherIsolation(status: SupervisorStatus, asked: IsolationRequest | undefined): void {
  const { backend } = status.isolation;
  if (asked === undefined || asked === 'auto' || backend.startsWith(asked)) return;
  throw new WorkflowError(
    'SUPERVISOR_RUNNING',
    `the supervisor that runs already, pid ${status.pid}, uses ${backend}, not ${asked}`,
    { hint: 'Run q workflow supervisor stop, then start it again; running instances go on.' },
  );
}
