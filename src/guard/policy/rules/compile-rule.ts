import type { Access } from '../../tools.ts';
import {
  type ApprovalFile,
  type CommandFile,
  type Decision,
  many,
  type RateFile,
  type RuleFile,
} from '../files/policy-file.ts';
import { type Condition, compileCondition } from './condition.ts';
import { type ArgsCheck, compileArgs } from './json-schema.ts';
import { type CommandPattern, commandPattern } from './match-command.ts';
import { type HostPattern, hostPattern } from './match-host.ts';
import { accessOf, toolPattern } from './match-tool.ts';
import { type PathPattern, pathPattern, patternProblem } from './path-pattern.ts';

/** A rule ready to be matched. */
export interface Rule {
  readonly id: string;
  /** `layer/file#rule`. */
  readonly name: string;
  readonly effect: Decision;
  readonly reason: string | null;
  readonly tools: readonly string[] | null;
  /** How it speaks of files; null when it has no path or its tools touch none. */
  readonly access: readonly Access[] | null;
  readonly commands: readonly CommandPattern[] | null;
  readonly path: PathPattern | null;
  readonly host: HostPattern | null;
  readonly args: ArgsCheck | null;
  readonly condition: Condition | null;
  /** The condition looks at the call itself, not only at who makes it and where. */
  readonly looksAtCall: boolean;
  readonly approval: ApprovalFile | null;
  readonly rate: RateFile | null;
}

/** What cannot be used in a rule: the part of the rule, and why. */
export class RuleFault extends Error {
  readonly part: string;

  constructor(part: string, message: string) {
    super(message);
    this.name = 'RuleFault';
    this.part = part;
  }
}

/** Throws RuleFault. The engines for `args` and `when` must be loaded when the rule has them. */
export function compileRule(file: RuleFile, id: string, name: string): Rule {
  const tools = file.tool === undefined ? null : many(file.tool).map(toolPattern);
  return {
    id,
    name,
    effect: file.effect,
    reason: file.reason ?? null,
    tools,
    access: file.path === undefined ? null : accessOf(tools),
    commands: file.command === undefined ? null : commandsOf(file.command).map(commandPattern),
    path: file.path === undefined ? null : checkedPath(pathPattern(file.path)),
    host: attempt('host', () => (file.host === undefined ? null : hostPattern(file.host))),
    args: attempt('args', () => (file.args === undefined ? null : compileArgs(file.args))),
    condition: attempt('when', () => (file.when === undefined ? null : compileCondition(file.when))),
    looksAtCall: file.when !== undefined && /\b(args|tool)\b/.test(file.when),
    approval: file.approval ?? null,
    rate: file.rate ?? null,
  };
}

function commandsOf(command: CommandFile | readonly CommandFile[]): readonly CommandFile[] {
  return isList(command) ? command : [command];
}

function isList(command: CommandFile | readonly CommandFile[]): command is readonly CommandFile[] {
  return Array.isArray(command);
}

function checkedPath(pattern: PathPattern): PathPattern {
  for (const each of [...pattern.within, ...pattern.globs, ...pattern.except]) {
    const problem = patternProblem(each);
    if (problem !== null) throw new RuleFault('path', `the pattern ${JSON.stringify(each)} ${problem}`);
  }
  return pattern;
}

function attempt<T>(part: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new RuleFault(part, error.message);
  }
}
