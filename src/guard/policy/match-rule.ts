import { SEARCH_LEAVES_OUT } from '../tools.ts';
import type { Rule } from './compile-rule.ts';
import { isSurelyCommand, mayBeCommand } from './match-command.ts';
import { isHost } from './match-host.ts';
import { isSurelyTool, mayBeTool } from './match-tool.ts';
import { isExcepted, isNamed, type PathPattern, type PathRoots } from './path-pattern.ts';
import type { Part, PathUse, Subject } from './subject.ts';
import { mayHold, takesWholeFolder } from './whole-folders.ts';

const NOTHING: ReadonlySet<string> = new Set();

/** How often a rule with a rate was used already, by the name of the rule. */
export type RateCheck = (rule: string, rate: NonNullable<Rule['rate']>) => 'within' | 'beyond';

/**
 * Whether a rule speaks of a part of a call. One that permits must surely do so; one that asks or denies does so
 * whenever it may.
 */
export function matchesRule(rule: Rule, subject: Subject, part: Part, rates: RateCheck): boolean {
  return rule.effect === 'allow'
    ? surelyMatches(rule, subject, part) && (rule.rate === null || rates(rule.name, rule.rate) === 'within')
    : mayMatch(rule, subject, part) && (rule.rate === null || rates(rule.name, rule.rate) === 'beyond');
}

/** True for a rule that would have to know which files or hosts this call names. */
export function looksAtPlaces(rule: Rule, subject: Subject): boolean {
  return (rule.path !== null || rule.host !== null) && isToolPossible(rule, subject);
}

function surelyMatches(rule: Rule, subject: Subject, part: Part): boolean {
  return (
    isToolSure(rule, subject, part) &&
    isCommandSure(rule, subject, part) &&
    (rule.path === null || arePathsSure(rule.path, part, subject)) &&
    (rule.host === null || areHostsSure(rule, part)) &&
    (rule.args === null || rule.args(subject.call.args)) &&
    (rule.condition === null || rule.condition(subject.call, subject.tool) === true)
  );
}

function isToolSure(rule: Rule, subject: Subject, part: Part): boolean {
  if (rule.tools === null) {
    if (subject.call.kind !== 'tool') return false;
    if (rule.commands !== null) return isShell(subject.tool);
    if (rule.host !== null) return subject.tool === 'http_fetch';
    if (rule.path !== null)
      return /^(fs_read|fs_write|fs_list|search)$/.test(subject.tool) || isRedirect(part);
    return subject.likelyTool === subject.tool;
  }
  if (isSurelyTool(rule.tools, subject)) return true;
  // A redirect of a shell is what these tools do.
  if (!isRedirect(part) || rule.path === null || rule.commands !== null) return false;
  return part.paths.every(({ access }) =>
    access.every((each) => rule.tools?.includes(each === 'read' ? 'fs_read' : 'fs_write') === true),
  );
}

function isRedirect(part: Part): boolean {
  return part.kind === 'redirect';
}

function isShell(tool: string): boolean {
  return tool === 'execute_bash' || tool === 'exec';
}

function isCommandSure(rule: Rule, subject: Subject, part: Part): boolean {
  if (rule.commands === null) return true;
  if (part.command !== null) {
    const { command } = part;
    return rule.commands.some((pattern) => isSurelyCommand(pattern, command));
  }
  // A redirect belongs to a command, and the rule says where it may lead.
  return (
    isRedirect(part) &&
    rule.path !== null &&
    subject.parts.some((other) => other.command !== null && isCommandSure(rule, subject, other))
  );
}

function arePathsSure(pattern: PathPattern, part: Part, { roots }: Subject): boolean {
  if (part.command?.args.includes(null) === true) return false;
  const uses = part.paths;
  if (uses.length === 0 && part.command === null) return false;
  return uses.every((use) => isPathSure(pattern, use, roots));
}

function isPathSure(pattern: PathPattern, use: PathUse, roots: PathRoots): boolean {
  return (
    use.resolved.length > 0 &&
    use.resolved.every(
      ({ real, spellings, doubt }) =>
        doubt === null &&
        real.every((path) => isNamed(pattern, path, roots, 'sure')) &&
        !spellings.some((path) => isExcepted(pattern, path, roots, 'likely')),
    )
  );
}

/** What curl and wget may be told without changing where they go. */
export const PLAIN_OPTION = /^(-[sSfgIi]+|-fsS|--(silent|show-error|fail|head|include|quiet))$/;

function areHostsSure({ host }: Rule, part: Part): boolean {
  if (host === null || part.hasOpenDestination || part.destinations.length === 0) return false;
  const options = part.command?.args.filter((arg) => arg?.startsWith('-') === true) ?? [];
  return (
    options.every((option) => option !== null && PLAIN_OPTION.test(option)) &&
    part.destinations.every((to) => to.doubt === null && isHost(host, to))
  );
}

function mayMatch(rule: Rule, subject: Subject, part: Part): boolean {
  return (
    isToolPossible(rule, subject) &&
    isCommandPossible(rule, subject, part) &&
    (rule.path === null || isPathPossible(rule, rule.path, part, subject)) &&
    (rule.host === null || isHostPossible(rule, part)) &&
    (rule.args === null || rule.args(subject.call.args)) &&
    (rule.condition === null || rule.condition(subject.call, subject.tool) !== false)
  );
}

function isToolPossible(rule: Rule, subject: Subject): boolean {
  const { kind } = subject.call;
  const isHook = kind === 'hook';
  // A hook is no call of a tool, but what is said of commands, files and hosts holds for it.
  if (rule.tools === null)
    return kind === 'tool' || (isHook && (rule.commands ?? rule.path ?? rule.host) !== null);
  if (mayBeTool(rule.tools, subject)) return true;
  if (kind !== 'tool' && !isHook) return false;
  // A guarded path is guarded from every tool, and a guarded command from both that run commands.
  if (rule.path !== null && rule.access !== null && rule.args === null && rule.commands === null) return true;
  const isOfShell = rule.commands !== null && rule.tools.some((each) => isShell(each));
  const isOfNet = rule.host !== null && rule.tools.includes('http_fetch') && rule.args === null;
  if (!isHook) return (isOfShell || isOfNet) && isShell(subject.likelyTool);
  // It is run by a shell: where there is to be none, there is none for it.
  const isNoShell =
    rule.effect === 'deny' &&
    rule.args === null &&
    rule.tools.some((each) => each === 'execute_bash' || each === '*');
  return isOfShell || isOfNet || isNoShell;
}

function isCommandPossible(rule: Rule, subject: Subject, part: Part): boolean {
  if (rule.commands === null) return true;
  if (part.command !== null) {
    const { command } = part;
    return rule.commands.some((pattern) => mayBeCommand(pattern, command));
  }
  return (
    isRedirect(part) &&
    rule.path !== null &&
    subject.parts.some((other) => other.command !== null && isCommandPossible(rule, subject, other))
  );
}

function isPathPossible(rule: Rule, pattern: PathPattern, part: Part, subject: Subject): boolean {
  const { access } = rule;
  const isMeant = (path: string): boolean =>
    isNamed(pattern, path, subject.roots, 'likely') && !isExcepted(pattern, path, subject.roots, 'sure');
  return part.paths.some((use) => {
    if (access !== null && !use.access.some((each) => access.includes(each))) return false;
    if (use.spelled === null || use.resolved.some(({ spellings }) => spellings.some(isMeant))) return true;
    const isSearch = subject.likelyTool === 'search';
    if (!isSearch && !takesWholeFolder(part, use)) return false;
    const leftOut = isSearch ? SEARCH_LEAVES_OUT : NOTHING;
    return use.resolved.some(({ real }) =>
      real.some((folder) => mayHold(folder, subject.files, isMeant, leftOut)),
    );
  });
}

function isHostPossible({ host }: Rule, part: Part): boolean {
  if (host === null) return false;
  return part.hasOpenDestination || part.destinations.some((to) => to.host === null || isHost(host, to));
}
