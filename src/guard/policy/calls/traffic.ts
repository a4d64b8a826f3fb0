/** Which rules speak of what the processes of a tool send and get, beside the calls of the tool. */
import { CANONICAL_TOOLS, nativeTool } from '../../tools.ts';
import type { Rule } from '../rules/compile-rule.ts';
import { fitsGlob, fitsGlobFolded, isGlob } from '../rules/text-glob.ts';
import type { GuardedCall } from './call.ts';

/** In the `tool` of a rule: the traffic of whatever a step starts, and no call. */
export const NETWORK = 'network';

/** A guard that names one of these means what runs, by whatever tool: each can do what the others can. */
const WHOLE_STEP = [
  NETWORK,
  ...(['http_fetch', 'exec', 'execute_bash', 'use_skill'] as const).flatMap((name) => [
    name,
    ...CANONICAL_TOOLS[name].aliases,
  ]),
];

/** The command of a skill step, which is no call of a tool: only rules without a tool, or for the traffic, mean it. */
export const SKILL_STEP = 'skill';
/** The hooks of an agent file: commands, and no calls of a tool. */
export const HOOK = 'hook';
/** The program of another maker that an agent is: its calls are decided one by one, its own traffic is no call. */
export const PROGRAM = 'program';

/**
 * Whether a rule with hosts surely permits traffic of this tool. One that also speaks of commands, files, arguments or
 * a number of calls does not: the proxy sees no calls.
 */
export function surelyTraffic(rule: Rule, tool: string, question: GuardedCall): boolean {
  if (rule.host === null || !isPlainPermission(rule, question)) return false;
  // One process serves all tools of a server: a rule for some of them does not permit what it does.
  return rule.tools === null || rule.tools.some((pattern) => isWholeTool(pattern, tool));
}

/** Whether a rule permits a tool, or one of a server, without a word about hosts. */
export function permitsTool(rule: Rule, tool: string, question: GuardedCall): boolean {
  if (rule.host !== null || rule.tools === null || !isPlainPermission(rule, question)) return false;
  return rule.tools.some(
    (pattern) => isWholeTool(pattern, tool) || (tool.startsWith('@') && fitsGlob(serverOf(pattern), tool)),
  );
}

/**
 * Whether a rule that asks or denies may mean traffic of this tool: nobody can be asked, so both refuse. Without hosts
 * it is about calls, unless it names the traffic.
 */
export function mayConcernTraffic(rule: Rule, tool: string, question: GuardedCall): boolean {
  const { tools, condition, host } = rule;
  if (rule.effect === 'allow') return false;
  if (condition !== null && !rule.looksAtCall && condition(question, question.tool) === false) return false;
  if (host === null) return tools?.includes(NETWORK) ?? false;
  if (tools === null || tools.includes('@builtin')) return true;
  return tools.some(
    (pattern) =>
      WHOLE_STEP.some((name) => isToolPattern(pattern) && fitsGlobFolded(pattern, name)) ||
      (tool === HOOK && pattern.startsWith('hook:')) ||
      (tool.startsWith('@') && fitsGlobFolded(serverOf(pattern), tool)),
  );
}

function isPlainPermission(rule: Rule, question: GuardedCall): boolean {
  return (
    rule.effect === 'allow' &&
    rule.commands === null &&
    rule.path === null &&
    rule.args === null &&
    rule.rate === null &&
    (rule.condition === null || (!rule.looksAtCall && rule.condition(question, question.tool) === true))
  );
}

function isWholeTool(pattern: string, tool: string): boolean {
  if (pattern === NETWORK) return true;
  if (tool === HOOK) return pattern === 'hook:*';
  if (tool === SKILL_STEP || tool === PROGRAM) return false;
  if (pattern === '*') return true;
  if (pattern === '@builtin') return nativeTool(tool) !== null;
  if (tool.startsWith('@')) return pattern.endsWith('/*') && fitsGlob(serverOf(pattern), tool);
  return pattern === tool || (isGlob(pattern) && isToolPattern(pattern) && fitsGlob(pattern, tool));
}

function serverOf(pattern: string): string {
  return pattern.split('/')[0] ?? pattern;
}

/** `model:*` and its like are no tools. */
function isToolPattern(pattern: string): boolean {
  return !/^(model|spawn|schedule|hook):/.test(pattern);
}
