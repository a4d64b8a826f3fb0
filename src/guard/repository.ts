import { READERS } from './command/effects/git.ts';
import { onlyLists } from './command/effects/git-lists.ts';
import type { GuardedCall } from './policy/calls/call.ts';
import { type CallFacts, readCall } from './policy/calls/read-call.ts';
import { activeLayers, inEnvironment, type PolicySet } from './policy/files/policy-set.ts';
import type { Rule } from './policy/rules/compile-rule.ts';
import type { CommandPattern } from './policy/rules/match-command.ts';
import { mayBeTool } from './policy/rules/match-tool.ts';
import { fitsGlob } from './policy/rules/text-glob.ts';

/** Other programs that keep something in a repository. */
const KEEPERS = /^(git-.*|gh|glab|hub|jj|stg|tig|lazygit|gitui|pre-commit|lint-staged)$/;

/**
 * Whether an agent may be let change the repository of its workspace: the top layer permits, or asks about, a command of
 * git that does more than look. Where none may, `.git` is read-only for the commands of the agent, and for what they run:
 * one file in it (`commondir`) has git take its configuration, and the commands there, from wherever it says.
 */
export function mayWriteRepository(
  set: PolicySet,
  asked: Omit<GuardedCall, 'kind' | 'tool' | 'args'>,
  facts: CallFacts,
): boolean {
  const subjects = ['execute_bash', 'exec'].map((tool) =>
    readCall(inEnvironment(set, { ...asked, kind: 'tool', tool, args: {} }), facts),
  );
  const [top] = activeLayers(
    set,
    inEnvironment(set, { ...asked, kind: 'tool', tool: '', args: {} }).environment,
  );
  // What holds nothing allows nothing.
  if (top === undefined || top.faults.length > 0) return false;
  if (top.default === 'allow' || top.default === 'ask') return true;
  const speaks = ({ tools }: Rule): boolean =>
    tools === null || subjects.some((subject) => mayBeTool(tools, subject));
  return top.rules.some(
    (rule) =>
      rule.effect !== 'deny' && speaks(rule) && (rule.commands === null || rule.commands.some(namesWriter)),
  );
}

function namesWriter({ programs, subcommands, args }: CommandPattern): boolean {
  const names = programs.map((program) => program.slice(program.lastIndexOf('/') + 1));
  if (names.some((name) => KEEPERS.test(name))) return true;
  if (!names.some((name) => fitsGlob(name, 'git'))) return false;
  return subcommands.length === 0 || subcommands.some((words) => changes(words, args));
}

/** `git tag` is also `git tag x`, unless the pattern says with which arguments. */
function changes([subcommand = '', ...words]: readonly string[], args: readonly string[]): boolean {
  const rest = args.length > 0 ? args.map((arg) => arg.replaceAll('*', '')) : words.length === 0 ? ['x'] : [];
  const isLook = READERS.has(subcommand) || subcommand === '--version';
  return !isLook && !onlyLists(subcommand, [...words, ...rest]);
}
