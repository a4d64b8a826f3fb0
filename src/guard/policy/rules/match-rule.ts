import { SEARCH_LEAVES_OUT } from '../../tools.ts';
import type { Part, PathUse, Subject } from '../calls/subject.ts';
import type { Rule } from './compile-rule.ts';
import { isSurelyCommand, mayBeCommand, patternsFor } from './match-command.ts';
import { isGuessedHost, isHost, mayBeHost } from './match-host.ts';
import { isSurelyTool, mayBeTool } from './match-tool.ts';
import { isExcepted, isNamed, mayEndNamed, type PathPattern, type PathRoots } from './path-pattern.ts';
import { sureName } from './program.ts';
import { isProjectRunner } from './runners.ts';
import { onlySpeaks } from './speakers.ts';
import { followsLinks, heldIn, leadsOut, type Picked, takesWholeFolder } from './whole-folders.ts';

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
    (rule.path === null ? staysInside(rule, part, subject) : arePathsSure(rule, rule.path, part, subject)) &&
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
    return patternsFor(rule.commands, command.program ?? '').some((pattern) =>
      isSurelyCommand(pattern, command, rule.path === null ? 'open' : 'judged'),
    );
  }
  // A redirect belongs to a command, and the rule says where it may lead.
  return (
    isRedirect(part) &&
    rule.path !== null &&
    subject.parts.some(
      (other) =>
        other.command !== null && mayBeRedirected(part, other) && isCommandSure(rule, subject, other),
    )
  );
}

/** Who permits `cat` in a folder did not mean `cat a > b`; who permits `echo` or `tee` there meant writing. */
function mayBeRedirected(redirect: Part, { command, paths }: Part): boolean {
  const isWriting = redirect.paths.some(({ access }) => access.includes('write'));
  if (!isWriting || command?.program === 'echo' || command?.program === 'printf') return true;
  return paths.some(({ access, isKnown }) => isKnown && access.includes('write'));
}

/** What runs the code of a project may be permitted without a path, but for no other project. */
function staysInside(rule: Rule, { command, paths }: Part, { roots }: Subject): boolean {
  if (command?.program === null || command === null || rule.commands === null) return true;
  if (!isProjectRunner(command.program) || rule.commands.some(({ mayRunCode }) => mayRunCode)) return true;
  return paths.every(
    ({ isGuess, resolved }) =>
      isGuess === true ||
      resolved.every(
        ({ real, doubt }) => doubt === null && real.every((path) => isBelow(path, roots.workspace)),
      ),
  );
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function arePathsSure(rule: Rule, pattern: PathPattern, part: Part, { roots, files }: Subject): boolean {
  const { command } = part;
  if (command?.args.includes(null) === true && !onlySpeaks(command)) return false;
  // What code does and where a network leads is no question of the paths in its arguments.
  if (command !== null && rule.commands === null)
    if (command.runsCode || (rule.host === null && part.destinations.length > 0)) return false;
  const uses = part.paths.filter(({ isGuess }) => isGuess !== true);
  if (uses.length === 0 && command === null) return false;
  if (!uses.every((use) => isPathSure(pattern, use, roots))) return false;
  if (!followsLinks(part)) return true;
  const isInside = (path: string): boolean => isNamed(pattern, path, roots, 'sure');
  return !uses.some(({ resolved }) =>
    resolved.some(({ real }) => real.some((folder) => leadsOut(folder, files, isInside))),
  );
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
/** What wget may be told besides. */
const PLAIN_OF_WGET = /^(-q|-nv|--no-verbose|-q?O-|--output-document=-)$/;

function areHostsSure(rule: Rule, part: Part): boolean {
  const { host } = rule;
  if (host === null || part.hasOpenDestination || part.destinations.length === 0) return false;
  // What other programs do with a host nobody knows: a rule has to name them.
  const program = part.command === null ? null : sureName(part.command.program ?? '');
  if (part.command !== null && rule.commands === null) {
    if (program !== 'curl' && program !== 'wget') return false;
    // wget puts what it gets into a file, of a name that the other side has a say in: no question of hosts.
    if (part.command.writes.some((file) => file !== '-')) return false;
  }
  const isPlain = (option: string): boolean =>
    PLAIN_OPTION.test(option) || (program === 'wget' && PLAIN_OF_WGET.test(option));
  const options = part.command?.args.filter((arg) => arg?.startsWith('-') === true) ?? [];
  return (
    options.every((option) => option !== null && isPlain(option)) &&
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
    return patternsFor(rule.commands, command.program ?? '').some((pattern) =>
      mayBeCommand(pattern, command),
    );
  }
  return (
    isRedirect(part) &&
    rule.path !== null &&
    subject.parts.some((other) => other.command !== null && isCommandPossible(rule, subject, other))
  );
}

function isPathPossible(rule: Rule, pattern: PathPattern, part: Part, subject: Subject): boolean {
  return part.paths.some((use) => touchOf(rule, pattern, use, part, subject) !== null);
}

/** How a rule on paths that guards comes to speak of a part, where its text does not show it; null where it does. */
export function hiddenTouch(rule: Rule, subject: Subject, part: Part): string | null {
  const { path } = rule;
  if (path === null || rule.effect === 'allow') return null;
  const touches = part.paths.map((use) => touchOf(rule, path, use, part, subject));
  if (touches.includes('named')) return null;
  const held = touches.find((touch) => touch !== null && touch !== 'open');
  if (held === undefined)
    return touches.includes('open') ? 'which files it touches is known only when it runs' : null;
  const { workspace } = subject.roots;
  return `${held.startsWith(`${workspace}/`) ? held.slice(workspace.length + 1) : held} lies in what it goes through`;
}

/** `open`: a word may be any file; a path: that lies in a folder which is gone through. Null: none. */
function touchOf(
  { access }: Rule,
  pattern: PathPattern,
  use: PathUse,
  part: Part,
  subject: Subject,
): 'named' | 'open' | `/${string}` | null {
  const { roots } = subject;
  const isMeant = (path: string): boolean =>
    isNamed(pattern, path, roots, 'likely') && !isExcepted(pattern, path, roots, 'sure');
  if (access !== null && !use.access.some((each) => access.includes(each))) return null;
  if (use.spelled === null) return 'open';
  if (use.resolved.some(({ spellings }) => spellings.some(isMeant))) return 'named';
  const isSearch = subject.likelyTool === 'search';
  if (!isSearch && !takesWholeFolder(part, use)) return null;
  const leftOut = isSearch ? SEARCH_LEAVES_OUT : NOTHING;
  const ending = isSearch ? endingOf(subject.call.args['glob']) : '';
  const picked: Picked = {
    isNamed: (path) => isNamed(pattern, path, roots, 'likely'),
    isExcepted: (path) => !path.toLowerCase().endsWith(ending) || isExcepted(pattern, path, roots, 'sure'),
    mayEndNamed: (name) => mayEndNamed(pattern, name, roots),
  };
  for (const { real } of use.resolved)
    for (const folder of real) {
      const held = heldIn(folder, subject.files, picked, leftOut);
      if (held !== null) return `/${held.slice(1)}`;
    }
  return null;
}

/** Of all files that a search looks into, where its pattern is as plain as `*.ts`; empty: any. */
function endingOf(glob: unknown): string {
  const [, ending = ''] = typeof glob === 'string' ? (/^(?:\*\*\/)?\*(\.[\w.]+)$/.exec(glob) ?? []) : [];
  return ending.toLowerCase();
}

function isHostPossible({ host }: Rule, part: Part): boolean {
  if (host === null) return false;
  return (
    part.hasOpenDestination ||
    part.destinations.some((to) => to.host === null || mayBeHost(host, to)) ||
    part.guessedHosts.some((to) => isGuessedHost(host, to))
  );
}
