import { nativeTool } from '../../tools.ts';
import type { GuardedCall } from '../calls/call.ts';
import { type CallFacts, readCall } from '../calls/read-call.ts';
import type { Subject } from '../calls/subject.ts';
import { type ActiveLayer, activeLayers, inEnvironment, type PolicySet } from '../files/policy-set.ts';
import type { Rule } from './compile-rule.ts';
import { isSurelyTool, mayBeTool } from './match-tool.ts';

/**
 * Whether every call of a tool is allowed, whatever its arguments are: in each layer a rule without conditions or the
 * default allows it, and no rule that denies or asks may ever speak of it. Never true for what writes files, runs
 * commands, or is none of our tools: rules that no layer lifts look at each argument of those. What those rules say of
 * reading (the state folder) is left to the sandbox, which does not show it.
 */
export function isAllowedWhatever(
  set: PolicySet,
  asked: Omit<GuardedCall, 'kind' | 'args'>,
  facts: CallFacts,
): boolean {
  const call = inEnvironment(set, asked);
  const native = nativeTool(call.tool);
  if (native === null || call.tool === 'exec' || call.tool === 'execute_bash') return false;
  if (Object.values(native.paths).includes('write')) return false;
  const subject = readCall({ ...call, kind: 'tool', args: {} }, facts);
  const layers = activeLayers(set, call.environment);
  return layers.length > 0 && layers.every((layer, index) => allows(layer, index === 0, subject));
}

function allows(layer: ActiveLayer, isTop: boolean, subject: Subject): boolean {
  if (layer.faults.length > 0) return false;
  if (layer.rules.some((rule) => rule.effect !== 'allow' && mayEverSpeak(rule, subject))) return false;
  if (layer.rules.some((rule) => alwaysAllows(rule, subject))) return true;
  return layer.default === 'allow' || (layer.default === null && !isTop);
}

/** By its tools alone: its other parts may fit some call. */
function mayEverSpeak({ tools, commands }: Rule, subject: Subject): boolean {
  if (tools !== null) return mayBeTool(tools, subject);
  // A rule of commands speaks of shells only.
  return commands === null;
}

function alwaysAllows(rule: Rule, subject: Subject): boolean {
  const { effect, tools, commands, path, host, args, condition, rate } = rule;
  const isBare = [commands, path, host, args, condition, rate].every((part) => part === null);
  return effect === 'allow' && isBare && tools !== null && isSurelyTool(tools, subject);
}
