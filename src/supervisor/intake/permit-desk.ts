import type { NetworkRule } from '../../../sandbox/network/rules.ts';
import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import type { JsonObject, Workflow } from '../../definition/workflow.ts';
import type { JournalEntry, RunEvent } from '../../engine/events.ts';
import { stepAt } from '../../engine/step-at.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { argumentsOf, isIntent, isIntentOf } from '../../guard/intents.ts';
import { placeText } from '../../guard/network-grant.ts';
import { type Decided, decidePermit, type PermitFacts } from '../../guard/permits.ts';
import type { ApprovalFile } from '../../guard/policy/files/policy-file.ts';
import { type Allowed, countAllowed, countEvent } from '../../guard/run-counts.ts';
import type { InstanceMessage, Permit, PermitRequest } from '../../protocol/instance-link.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { ApprovalChanges, ApprovalRow, NewApproval } from '../../store/tables/approval-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { applyChanges, heldOpen, overtaken } from '../guard/approval-list.ts';
import { policiesOf, type RunPolicies } from '../guard/run-policies.ts';
import { type LiveInstance, notify } from '../lifecycle/live-instance.ts';
import { claimProblem } from './permit-claim.ts';

export type PermitMessage = Extract<InstanceMessage, { type: 'permit' }>;

/** What was decided about a batch, to be committed with its events. */
export interface Judged {
  readonly answers: readonly { readonly message: PermitMessage; readonly permit: Permit }[];
  readonly audits: readonly AuditEntry[];
  readonly approvals: ApprovalChanges | null;
  /** To be called after the commit: from now on it counts. */
  readonly committed: () => void;
}

/** Decides the permits that one instance asks for. */
export interface PermitDesk {
  /** One after the other: each counts against the next. `batch` are the events that are committed with them. */
  judge(batch: readonly JournalEntry[], asked: readonly PermitMessage[]): Promise<Judged>;
}

/** A permit comes right after its intent; several are under way at most. */
const MAX_RECENT = 64;
/** When who waits for a decision that is being committed asks again, if nobody tells it before. */
const DECISION_MS = 1000;
const NOTHING: Judged = { answers: [], audits: [], approvals: null, committed: () => undefined };

export function openPermitDesk(context: SupervisorContext, live: LiveInstance): PermitDesk {
  let recent: readonly JournalEntry[] = [];
  /**
   * What a permit is for, as its intent says: in the same batch, or committed just before, or, when it is asked again,
   * in the journal, which is read once for all that are asked together.
   */
  const intentsIn = (
    batch: readonly JournalEntry[],
  ): ((request: PermitRequest) => Promise<RunEvent | null>) => {
    let journal: Promise<JournalEntry[]> | null = null;
    return async (request) => {
      const matches = ({ event }: JournalEntry): boolean => isIntentOf(event, request);
      const near = batch.findLast(matches) ?? recent.findLast(matches);
      if (near !== undefined) return near.event;
      journal ??= readJournal(context.store, live.row.id);
      return (await journal).findLast(matches)?.event ?? null;
    };
  };

  const decideOn = (
    request: PermitRequest,
    args: JsonObject,
    policies: RunPolicies,
    moment: Pick<PermitFacts, 'counts' | 'now' | 'approvals'>,
  ): Decided => {
    const { id, workflow, workspace, approvals } = live.row;
    return decidePermit(request, args, {
      workflow,
      instance: id,
      workspace,
      home: policies.home,
      // A hook is the file's, not the agent's: the tools of agent and step don't narrow it.
      policies: request.kind === 'hook' ? policies.all : policies.of(request.path, request.agentName),
      epoch: context.killSwitch.epoch,
      heldBy: context.killSwitch.heldBy,
      approvalMode: approvals,
      gate: gateOf(policies.workflow, request.path),
      traffic: request.tier === 'agent' ? policies.trafficOf(request.path) : null,
      ...moment,
    });
  };

  return {
    judge: async (batch, asked) => {
      recent = [...recent, ...batch.filter(({ event }) => isIntent(event))].slice(-MAX_RECENT);
      const { id } = live.row;
      const withdrawn = endedBy(batch, live.approvals);
      const isOfAgent = batch.some(({ event }) => event.type.startsWith('agent.'));
      if (asked.length === 0 && withdrawn.length === 0 && !isOfAgent) return NOTHING;
      const policies = await policiesOf(context, live);
      let counts = batch.reduce((before, { event }) => countEvent(before, event), policies.counts);
      const now = context.now();
      const changes = {
        requested: [] as NewApproval[],
        expired: [] as number[],
        answered: [] as number[],
        withdrawn,
        at: now,
      };
      const intentOf = intentsIn(batch);
      const answers: { message: PermitMessage; permit: Permit }[] = [];
      for (const message of asked) {
        const { request } = message;
        const intent = await intentOf(request);
        const problem = claimProblem(request, intent, policies.workflow);
        if (problem !== null || intent === null)
          throw new WorkflowError('PROTOCOL', `the process ${problem}`);
        const args = argumentsOf(intent);
        const rows = heldOpen(live.approvals, live.beingDecided, now + DECISION_MS);
        const approvals = applyChanges(rows, id, changes);
        const { permit, requested, expired, answered } = decideOn(request, args, policies, {
          counts,
          now,
          approvals,
        });
        answers.push({ message, permit });
        const allowed = permit.decision === 'allow' ? allowedOf(request, permit, now) : null;
        if (allowed !== null) counts = countAllowed(counts, allowed);
        if (requested !== null) {
          changes.requested.push(requested);
          // It may have been ended in this very batch; what ended an earlier attempt came before the question.
          const later = batch.filter(({ seq }) => seq > message.afterSeq);
          const asking = applyChanges([], id, { ...changes, requested: [requested] });
          withdrawn.push(...endedBy(later, asking));
        }
        if (expired !== null) changes.expired.push(expired);
        if (answered !== null) changes.answered.push(answered);
        // The rules changed while somebody was asked.
        if (permit.decision === 'allow' && isPending(approvals, answered)) withdrawn.push(Number(answered));
      }
      const { requested, expired, answered } = changes;
      const known = [...live.approvals, ...requested];
      const isChanged = requested.length + expired.length + answered.length + withdrawn.length > 0;
      return {
        answers,
        audits: [
          ...requested.map((approval) => requestedRecord(id, now, approval)),
          ...expired.map((number) => expiredRecord(id, now, number)),
          ...withdrawn.map((number) => withdrawnRecord(id, now, number, known)),
          ...answers.map((answer) => permitRecord(id, now, answer)),
        ],
        approvals: isChanged ? changes : null,
        committed: () => {
          policies.counts = counts;
          if (!isChanged) return;
          // What a person decided meanwhile stays.
          live.approvals = applyChanges(live.approvals, id, changes);
          for (const { number } of requested)
            if (!withdrawn.includes(number))
              notify(live, { method: 'instance.approval', params: { id, number } });
        },
      };
    },
  };
}

/** The numbers of those that wait for what these events ended, each once. */
function endedBy(batch: readonly JournalEntry[], rows: readonly ApprovalRow[]): number[] {
  return [...new Set(batch.flatMap(({ event }) => overtaken(rows, event)))];
}

function isPending(rows: readonly ApprovalRow[], which: number | null): boolean {
  return rows.some(({ number, status }) => number === which && status === 'pending');
}

/** Who may decide a step that only asks; null for another step. */
function gateOf(workflow: Workflow, path: string): ApprovalFile | null {
  const step = stepAt(workflow, path);
  if (step?.type !== 'approval') return null;
  return {
    ...(step.by.length === 0 ? {} : { by: step.by }),
    ...(step.timeoutMs === null ? {} : { timeout_s: step.timeoutMs / 1000 }),
  };
}

function requestedRecord(instance: string, at: number, approval: NewApproval): AuditEntry {
  const { number, argsHash, expiresAt, request } = approval;
  const { args: _, ...asked } = request;
  const data = {
    approval: number,
    ...asked,
    args_hash: argsHash,
    expires_at: new Date(expiresAt).toISOString(),
  };
  return { type: 'approval.requested', at, actor: SUPERVISOR, instance, data };
}

function expiredRecord(instance: string, at: number, number: number): AuditEntry {
  return { type: 'approval.expired', at, actor: SUPERVISOR, instance, data: { approval: number } };
}

function withdrawnRecord(
  instance: string,
  at: number,
  number: number,
  approvals: readonly NewApproval[],
): AuditEntry {
  const asked = approvals.find((approval) => approval.number === number)?.request;
  const data = { approval: number, path: asked?.path ?? '', what: asked?.what ?? '' };
  return { type: 'approval.withdrawn', at, actor: SUPERVISOR, instance, data };
}

function permitRecord(
  instance: string,
  at: number,
  { message, permit }: { readonly message: PermitMessage; readonly permit: Permit },
): AuditEntry {
  const { request } = message;
  return {
    type: 'permit.decided',
    at,
    actor: { kind: 'supervisor', id: 'supervisor', uid: process.getuid?.() ?? null },
    instance,
    data: {
      kind: request.kind,
      path: request.path,
      attempt: request.attempt,
      subject: request.subject,
      tier: request.tier,
      ...(request.agent === undefined ? {} : { ...request.agent }),
      args_hash: permit.inputsHash,
      decision: permit.decision,
      rules: permit.rules,
      policy_hash: permit.policyHash,
      epoch: permit.epoch,
      ...(permit.decision === 'allow' ? {} : { reason: permit.reason }),
      ...(permit.approval === undefined ? {} : { approval: permit.approval.number }),
      ...(permit.network === undefined
        ? {}
        : { network: permit.network.flatMap(({ rules }) => rules).flatMap(placesOf) }),
      ...(permit.rated === undefined ? {} : { rated: permit.rated }),
      ...(permit.shadow === undefined ? {} : { shadow: permit.shadow }),
    },
  };
}

function placesOf({ host, ports }: NetworkRule): string[] {
  return ports === 'any' ? [`${host}:*`] : ports.map((port) => placeText({ host, port }));
}

/** How an answer counts for the policies; null for what is no part of a budget. */
function allowedOf({ kind, path, agent }: PermitRequest, { rated = [] }: Permit, at: number): Allowed | null {
  if (kind === 'model') return { kind, path, iteration: agent?.iteration ?? 0 };
  if (kind !== 'tool') return null;
  return { kind, path, call: agent?.call ?? '', tool: agent?.tool ?? '', rated, at };
}
