import { resolve } from 'node:path';
import type { GuardedCall } from './calls/call.ts';
import { type ChainLink, decide, type Verdict } from './decide.ts';
import type { CallText, PolicyCase } from './files/case-file.ts';
import { realFiles } from './files/file-facts.ts';
import type { PolicySet } from './files/policy-set.ts';

/** Where a call that people ask about would happen. */
export interface CallPlace {
  readonly workspace: string;
  readonly home: string;
  readonly environment: string | null;
}

/** A verdict as `policy explain --json` prints it. */
export interface ExplainDocument {
  readonly decision: Verdict['decision'];
  readonly rules: readonly string[];
  readonly layer: string | null;
  readonly reason: string;
  readonly chain: readonly ChainLink[];
  readonly shadow: readonly ChainLink[];
  readonly approvals: Verdict['approvals'];
  readonly policy_hash: string;
}

/** What would be decided about a call, with all that was said; nothing is run. */
export function explain(set: PolicySet, text: CallText, place: CallPlace): ExplainDocument {
  const verdict = decide(set, callOf(text, place), { files: realFiles(), home: place.home });
  const { decision, rules, layer, reason, chain, shadow, approvals, policyHash } = verdict;
  return { decision, rules, layer, reason, chain, shadow, approvals, policy_hash: policyHash };
}

function callOf(text: CallText, { workspace, environment }: CallPlace): GuardedCall {
  return {
    ...text,
    workspace,
    cwd: text.cwd === null ? workspace : resolve(workspace, text.cwd),
    environment: text.environment ?? environment,
  };
}

export interface CaseResult {
  readonly name: string;
  readonly expected: PolicyCase['expected'];
  readonly decision: Verdict['decision'];
  readonly rules: readonly string[];
  readonly reason: string;
  readonly passed: boolean;
}

export function runCase(
  set: PolicySet,
  { name, call, expected, rule }: PolicyCase,
  place: CallPlace,
): CaseResult {
  const { decision, rules, reason } = explain(set, call, place);
  const isByRule = rule === null || rules.some((each) => each === rule || each.endsWith(`#${rule}`));
  return { name, expected, decision, rules, reason, passed: decision === expected && isByRule };
}
