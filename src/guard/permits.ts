import { hashJson } from '../audit/canonical.ts';
import type { JsonObject } from '../definition/workflow.ts';
import type { Permit, PermitRequest } from '../protocol/instance-link.ts';

import type { KillScope, KillSubject } from './kill/kill-scope.ts';
import type { GuardedCall } from './policy/call.ts';
import { decide } from './policy/decide.ts';
import { realFiles } from './policy/file-facts.ts';
import type { PolicySet } from './policy/policy-set.ts';
import { settingsOf } from './policy/settings.ts';
import { passedLimit, type RunCounts, rateCheck } from './run-counts.ts';

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
}

/**
 * Decides whether an effect may happen. It is asked for every spawn, model request and tool call, before it, and its
 * answer is committed with the intent. `args` are those of the journaled intent: the inputs of a step, the model and
 * estimate of a request, the arguments of a tool call. A tripped kill switch that covers it refuses it, then the
 * policies speak. What a person would have to approve is refused: nobody can be asked yet.
 */
export function decidePermit(request: PermitRequest, args: JsonObject, facts: PermitFacts): Permit {
  const held = facts.heldBy(subjectOf(request, facts));
  const rated = new Set<string>();
  const verdict = decide(facts.policies, callOf(request, args, facts), {
    files: realFiles(),
    home: facts.home,
    rates: rateCheck(facts.counts, facts.now, rated),
  });
  const common = {
    rules: verdict.rules,
    policyHash: verdict.policyHash,
    inputsHash: hashJson(args),
    epoch: facts.epoch,
    ...shadowOf(verdict.shadow),
  };
  if (held !== null)
    return { ...common, decision: 'deny', code: 'KILL_SWITCH', reason: `the kill switch ${held} is tripped` };
  const limit = limitOf(request, facts);
  if (verdict.decision !== 'deny' && limit !== null)
    return { ...common, rules: [], decision: 'deny', code: 'POLICY_DENIED', reason: limit };
  if (verdict.decision === 'allow')
    return {
      ...common,
      decision: 'allow',
      code: null,
      reason: verdict.reason,
      ...(rated.size === 0 ? {} : { rated: [...rated] }),
    };
  const reason =
    verdict.decision === 'deny'
      ? verdict.reason
      : `${verdict.reason}; it needs a person's approval, and nobody can be asked`;
  return { ...common, decision: 'deny', code: 'POLICY_DENIED', reason };
}

/** Starts of steps and servers are no part of what an agent may use. */
function limitOf({ kind, agent }: PermitRequest, { policies, counts, now }: PermitFacts): string | null {
  if (kind !== 'tool' && kind !== 'model') return null;
  const next = kind === 'model' ? ({ kind } as const) : ({ kind, tool: agent?.tool ?? '' } as const);
  return passedLimit(counts, settingsOf(policies, null).limits, next, now);
}

function subjectOf(request: PermitRequest, { workflow, instance }: PermitFacts): KillSubject {
  return {
    workflow,
    instance,
    agent: request.agentName,
    tool: request.agent?.tool ?? null,
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
  return { ...common, kind: kind === 'model' ? 'model' : 'spawn', tool: subject };
}

function shadowOf(shadow: readonly { readonly rule: string | null }[]): Pick<Permit, 'shadow'> {
  const rules = shadow.flatMap(({ rule }) => (rule === null ? [] : [rule]));
  return rules.length === 0 ? {} : { shadow: [...new Set(rules)] };
}
