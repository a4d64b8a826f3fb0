import type { AuditEntry } from '../../audit/record.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { mayDecide } from '../../guard/approvals.ts';
import { placeText } from '../../guard/network-grant.ts';
import type { ApprovalDocument } from '../../protocol/approval-control.ts';
import type { ApprovalRow } from '../../store/tables/approval-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { resolveInstance } from '../resolve-instance.ts';
import { patchDecision } from './approval-list.ts';

/** The methods by which people decide what waits for them. */
export function approvalMethods(
  context: SupervisorContext,
  fleet: Fleet,
): Pick<ControlHandlers, 'approval.list' | 'approval.decide'> {
  const { store } = context;

  const documentOf = async (row: ApprovalRow): Promise<ApprovalDocument> => {
    const instance = await store.call('instance.get', { id: row.instance });
    return approvalDocument(row, instance?.workflow ?? '');
  };

  return {
    'approval.list': async ({ id, isPendingOnly, limit }) => {
      const instance = id === null ? null : await resolveInstance(store, id);
      const rows = await store.call('approval.list', { instance, isPendingOnly, limit });
      return Promise.all(rows.map(documentOf));
    },
    'approval.decide': async ({ id, which, status, reason, caller }) => {
      const instance = await resolveInstance(store, id);
      const rows = await store.call('approval.list', { instance, isPendingOnly: false, limit: -1 });
      const row = choose(instance, rows, which);
      const actor = personOf(caller);
      const { number, request } = row;
      if (row.status !== 'pending') throw closed(row);
      if (!mayDecide(request.by, actor.id))
        throw new WorkflowError(
          'APPROVAL_NOT_YOURS',
          `approval ${number} of ${instance} is for ${request.by.map((names) => names.join(' or ')).join(', and ')}, not for ${actor.id}`,
        );
      const at = context.now();
      const decision = { status, decidedAt: at, decidedBy: `person ${actor.id}`, reason } as const;
      const audit: AuditEntry = {
        type: status === 'approved' ? 'approval.granted' : 'approval.denied',
        at,
        actor,
        instance,
        data: {
          approval: number,
          path: request.path,
          ...(request.call === null ? {} : { call: request.call }),
          what: request.what,
          args_hash: row.argsHash,
          ...(reason === null ? {} : { reason }),
        },
      };
      const { decidedBy: by } = decision;
      const asking = fleet.find(instance);
      // Whose time is over meanwhile must not be told that nobody has decided.
      asking?.beingDecided.add(number);
      try {
        const args = { instance, number, status, by, reason, at, audit };
        const { isDecided } = await store.call('approval.decide', args);
        if (!isDecided) throw closed({ ...row, status: at < row.expiresAt ? row.status : 'expired' });
        const live = fleet.find(instance);
        if (live !== null) {
          live.approvals = patchDecision(live.approvals, number, decision);
          fleet.released(live, number);
        }
      } finally {
        asking?.beingDecided.delete(number);
      }
      return documentOf({ ...row, ...decision });
    },
  };
}

/** The one that is meant: a number, a call, or what alone waits. */
function choose(instance: string, rows: readonly ApprovalRow[], which: string | null): ApprovalRow {
  const pending = rows.filter(({ status }) => status === 'pending');
  if (which === null) {
    const [only, ...more] = pending;
    if (only === undefined)
      throw new WorkflowError('APPROVAL_NOT_FOUND', `nothing of the run ${instance} waits for a decision`);
    if (more.length > 0)
      throw new WorkflowError(
        'APPROVAL_AMBIGUOUS',
        `${pending.length} calls of the run ${instance} wait for a decision: ${pending.map(({ number }) => number).join(', ')}`,
        { about: { id: instance } },
      );
    return only;
  }
  const named = rows.filter(
    ({ number, request }) => String(number) === which || (request.call !== null && request.call === which),
  );
  const found = named.find(({ status }) => status === 'pending') ?? named.at(-1);
  if (found !== undefined) return found;
  throw new WorkflowError('APPROVAL_NOT_FOUND', `the run ${instance} has no approval "${which}"`, {
    details: { pending: pending.map(({ number }) => number) },
  });
}

function closed({ instance, number, status, decidedBy }: ApprovalRow): WorkflowError {
  const by = decidedBy === null ? '' : ` by ${decidedBy}`;
  return new WorkflowError('APPROVAL_CLOSED', `approval ${number} of ${instance} is ${status}${by} already`);
}

function approvalDocument(row: ApprovalRow, workflow: string): ApprovalDocument {
  const { path, ...request } = row.request;
  return {
    instance: row.instance,
    number: row.number,
    workflow,
    step: path,
    attempt: request.attempt,
    call: request.call,
    kind: request.kind,
    what: request.what,
    agent: request.agent,
    args: request.args,
    args_hash: row.argsHash,
    rules: request.rules,
    reason: request.reason,
    by: request.by,
    network: (request.network ?? []).map(placeText),
    status: row.status,
    requested_at: new Date(row.requestedAt).toISOString(),
    expires_at: new Date(row.expiresAt).toISOString(),
    decided:
      row.decidedAt === null
        ? null
        : { by: row.decidedBy, at: new Date(row.decidedAt).toISOString(), reason: row.reason },
  };
}
