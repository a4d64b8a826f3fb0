import { hashJson } from '../audit/canonical.ts';
import type { JsonObject } from '../definition/workflow.ts';
import type { Permit, PermitApproval, PermitRequest } from '../protocol/instance-link.ts';
import type { ApprovalRow, NewApproval } from '../store/tables/approval-rows.ts';
import type { ApprovalMode } from '../store/tables/instance-rows.ts';
import { type ApprovalAnswer, type ApprovalQuestion, answerApproval, approvalOf } from './approvals.ts';

import { hookEvent } from './hook-names.ts';
import type { KillScope, KillSubject } from './kill/kill-scope.ts';
import { approvablePlaces, approvedWays, type GrantFacts } from './network-grant.ts';
import type { GuardedCall } from './policy/calls/call.ts';
import { HOOK } from './policy/calls/traffic.ts';
import { decide, type Verdict } from './policy/decide.ts';
import { realFiles } from './policy/files/file-facts.ts';
import type { ApprovalFile } from './policy/files/policy-file.ts';
import type { PolicySet } from './policy/files/policy-set.ts';
import { settingsOf } from './policy/files/settings.ts';
import { openKey, passedLimit, type RunCounts, rateCheck } from './run-counts.ts';
import { canonicalTool } from './tools.ts';

/** What holds at the moment of a decision. */
export interface PermitFacts {
  readonly workflow: string;
  readonly instance: string;
  /** Absolute. */
  readonly workspace: string;
  /** Of the user for whom the run is, absolute. */
  readonly home: string;
  /** All layers, those of the agent and the step included. */
  readonly policies: PolicySet;
  /** Grows with each trip and each re-arming of a kill switch. */
  readonly epoch: number;
  /** What the run has used. */
  readonly counts: RunCounts;
  /** UTC ms. */
  readonly now: number;
  /** The tripped scope that covers a subject, or null. */
  readonly heldBy: (subject: KillSubject) => KillScope | null;
  /** What persons were asked in this run, by number. */
  readonly approvals: readonly ApprovalRow[];
  /** Whether the run waits for persons. */
  readonly approvalMode: ApprovalMode;
  /** Who may decide a step that only asks, and how long it waits; null for other steps. */
  readonly gate: ApprovalFile | null;
  /** The traffic of the step, where each call of a tool has a proxy of its own; else null. */
  readonly traffic: GuardedCall | null;
}

/** The answer, and what becomes of approvals with it. */
export interface Decided {
  readonly permit: Permit;
  /** To be kept, before anybody is told to wait for it. */
  readonly requested: NewApproval | null;
  /** The number of one that nobody decided in time. */
  readonly expired: number | null;
  /** The number of one that this permit is the answer of, or that it makes needless. */
  readonly answered: number | null;
}

/**
 * Decides whether an effect may happen. It is asked for every spawn, model request and tool call, before it, and its
 * answer is committed with the intent. `args` are those of the journaled intent: the inputs of a step, the model and
 * estimate of a request, the arguments of a tool call. A tripped kill switch that covers it refuses it, then the
 * policies speak. What a person has to approve waits for one, or is refused where nobody can be asked.
 */
export function decidePermit(request: PermitRequest, args: JsonObject, facts: PermitFacts): Decided {
  const held = facts.heldBy(subjectOf(request, facts));
  const rated = new Set<string>();
  const verdict = decide(facts.policies, callOf(request, args, facts), {
    files: realFiles(),
    home: facts.home,
    // What was within its rates when it was allowed stays within them.
    rates: isAgain(request, facts) ? () => 'within' : rateCheck(facts.counts, facts.now, rated),
  });
  const common = {
    rules: verdict.rules,
    policyHash: verdict.policyHash,
    inputsHash: hashJson(args),
    epoch: facts.epoch,
    ...shadowOf(verdict.shadow),
  };
  const deny = (code: Permit['code'], reason: string, rules = verdict.rules): Decided =>
    decided({ ...common, rules, decision: 'deny', code, reason });
  const allow = (reason: string): Permit => ({
    ...common,
    decision: 'allow',
    code: null,
    reason,
    ...(rated.size === 0 ? {} : { rated: [...rated] }),
  });
  if (held !== null) return deny('KILL_SWITCH', `the kill switch ${held} is tripped`);
  const asked = facts.gate ?? (verdict.decision === 'ask' ? {} : null);
  if (asked === null && verdict.decision === 'deny') return deny('POLICY_DENIED', verdict.reason);
  const limit = limitOf(request, facts);
  if (limit !== null) return deny('POLICY_DENIED', limit, []);
  if (asked === null) {
    // What was asked for while the rules said so is over: the call is about to be run.
    const needless = approvalOf({ request, argsHash: common.inputsHash }, facts.approvals);
    return decided(allow(verdict.reason), { answered: needless?.number ?? null });
  }
  const grant = grantOf(request, facts, verdict);
  const question: ApprovalQuestion = {
    request,
    args,
    argsHash: common.inputsHash,
    rules: facts.gate === null ? verdict.rules : [],
    reason: facts.gate === null ? verdict.reason : 'the workflow asks for it',
    approvals: facts.gate === null ? verdict.approvals : [facts.gate],
    network: grant === null ? [] : approvablePlaces(grant),
  };
  return byPerson(
    answerApproval(question, facts.approvals, facts.approvalMode, facts.now),
    { ...common, rules: question.rules },
    allow,
    (row) => (grant === null ? {} : networkOf(grant, row)),
  );
}

/** What of the network an approval is about; null where calls have no proxy of their own. */
function grantOf(
  { kind, agent }: PermitRequest,
  { policies, traffic }: PermitFacts,
  verdict: Verdict,
): GrantFacts | null {
  if ((kind !== 'tool' && kind !== 'hook') || traffic === null) return null;
  const tool = kind === 'hook' ? HOOK : canonicalTool(agent?.tool ?? '');
  return { policies, verdict, tool, traffic, asking: verdict.rules };
}

/** As the person was told it, after every crash, and as the policies of now leave it. */
function networkOf(grant: GrantFacts, { number, request }: ApprovalRow): Pick<Permit, 'network'> {
  const told = request.network ?? [];
  const ways = approvedWays({ ...grant, asking: request.rules }, told, `approval ${number}`);
  return ways.length === 0 ? {} : { network: ways };
}

function byPerson(
  answer: ApprovalAnswer,
  common: Pick<Permit, 'rules' | 'policyHash' | 'inputsHash' | 'epoch'>,
  allow: (reason: string) => Permit,
  network: (row: ApprovalRow) => Pick<Permit, 'network'>,
): Decided {
  switch (answer.kind) {
    case 'approved': {
      const { row } = answer;
      const approved = allow(`${row.decidedBy ?? 'a person'} approved it`);
      return decided({ ...approved, approval: toldOf(row), ...network(row) }, { answered: row.number });
    }
    case 'refused': {
      const { row, reason } = answer;
      const permit: Permit = { ...common, decision: 'deny', code: 'APPROVAL_DENIED', reason };
      return row === null
        ? decided(permit)
        : decided({ ...permit, approval: toldOf(row) }, { answered: row.number });
    }
    case 'expired': {
      const { row, reason } = answer;
      const permit = { ...common, decision: 'deny', code: 'APPROVAL_DENIED', reason } as const;
      return decided({ ...permit, approval: toldOf(row) }, { answered: row.number, expired: row.number });
    }
    case 'wait':
      return decided(waitFor(answer.number, answer.until, common));
    case 'ask': {
      const { approval } = answer;
      return decided(waitFor(approval.number, approval.expiresAt, common), { requested: approval });
    }
  }
}

function waitFor(
  number: number,
  until: number,
  common: Pick<Permit, 'rules' | 'policyHash' | 'inputsHash' | 'epoch'>,
): Permit {
  const approval = { number, until, by: null, at: null, reason: null };
  return { ...common, decision: 'wait', code: null, reason: 'a person has to approve it', approval };
}

function toldOf({ number, expiresAt, decidedBy, decidedAt, reason }: ApprovalRow): PermitApproval {
  return { number, until: expiresAt, by: decidedBy, at: decidedAt, reason };
}

function decided(permit: Permit, changes: Partial<Omit<Decided, 'permit'>> = {}): Decided {
  return { permit, requested: null, expired: null, answered: null, ...changes };
}

/** Starts of steps and servers are no part of what an agent may use. */
function limitOf(request: PermitRequest, facts: PermitFacts): string | null {
  const { kind, agent } = request;
  const { policies, counts, now } = facts;
  if ((kind !== 'tool' && kind !== 'model') || isAgain(request, facts)) return null;
  const next = kind === 'model' ? ({ kind } as const) : ({ kind, tool: agent?.tool ?? '' } as const);
  return passedLimit(counts, settingsOf(policies).limits, next, now);
}

/** It was allowed before, and is counted; its process or its hook kept it from being run. */
function isAgain({ kind, path, agent }: PermitRequest, { counts }: PermitFacts): boolean {
  if (kind !== 'tool' && kind !== 'model') return false;
  return counts.open.has(openKey(path, (kind === 'tool' ? agent?.call : agent?.iteration) ?? ''));
}

function subjectOf(request: PermitRequest, { workflow, instance }: PermitFacts): KillSubject {
  return {
    workflow,
    instance,
    agent: request.agentName,
    tool: request.kind === 'hook' ? HOOK : (request.agent?.tool ?? null),
    path: request.path,
  };
}

function callOf(request: PermitRequest, args: JsonObject, facts: PermitFacts): GuardedCall {
  const { kind, subject, agent, agentName, path } = request;
  const { workspace, workflow } = facts;
  const common = {
    args,
    workspace,
    cwd: workspace,
    workflow,
    agent: agentName,
    step: path,
    environment: null,
  };
  if (kind === 'tool') return { ...common, kind: 'tool', tool: agent?.tool ?? '' };
  if (kind === 'hook') return { ...common, kind: 'hook', tool: hookEvent(agent?.tool ?? '') };
  return { ...common, kind: kind === 'model' ? 'model' : 'spawn', tool: subject };
}

function shadowOf(shadow: readonly { readonly rule: string | null }[]): Pick<Permit, 'shadow'> {
  const rules = shadow.flatMap(({ rule }) => (rule === null ? [] : [rule]));
  return rules.length === 0 ? {} : { shadow: [...new Set(rules)] };
}
