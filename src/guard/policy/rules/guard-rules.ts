import type { Part, PathUse, Subject } from '../calls/subject.ts';
import { compileRule, type Rule } from './compile-rule.ts';
import { GIT_CONFIG_READS, GUARDED_COMMANDS, GUARDED_FILES } from './guard-files.ts';
import { mayBeCommand, patternsFor } from './match-command.ts';
import { isNamed, type PathPattern, type PathRoots, pathPattern } from './path-pattern.ts';
import { takesWholeFolder } from './whole-folders.ts';

/** Folders of this machine that hold what the guard itself is made of. Absolute. */
export interface GuardPlaces {
  /** The state folders, with links followed and as they are written. */
  readonly state: readonly string[];
  readonly config: readonly string[];
}

/** So many sets of folders are remembered: one supervisor has one for each of its users. */
const MAX_KEPT = 32;
const kept = new Map<string, readonly Rule[]>();

/** The rules that no layer lifts, for these folders. Compiled once, a millisecond: every run asks for them, twice. */
export function guardRules(places: GuardPlaces): readonly Rule[] {
  const key = JSON.stringify([places.state, places.config]);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const rules = compileAll(places);
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, rules);
  return rules;
}

function compileAll(places: GuardPlaces): readonly Rule[] {
  const files = GUARDED_FILES.map(({ id, globs, access, reason }) =>
    compileRule(
      {
        effect: 'deny',
        path: globs.flatMap((glob) => expanded(glob, places)),
        reason,
        ...(access === 'write' ? { tool: 'fs_write' } : {}),
      },
      id,
      `built-in/guard#${id}`,
    ),
  );
  const commands = GUARDED_COMMANDS.map(({ id, command, reason }) =>
    compileRule({ effect: 'deny', command, reason }, id, `built-in/guard#${id}`),
  );
  return [...files, ...commands];
}

function expanded(glob: string, { state, config }: GuardPlaces): readonly string[] {
  if (glob === '${state}') return state;
  return glob === '${config}' ? config : [glob];
}

/**
 * Those of the guard's rules that a part of a call touches. A path that nobody knows is no touch here: such a call is
 * never allowed by itself, and the sandbox holds what policies cannot see.
 */
export function touchedGuards(guard: readonly Rule[], subject: Subject, part: Part): readonly Rule[] {
  if (subject.call.kind !== 'tool' && subject.call.kind !== 'hook') return [];
  // The scripts of hooks lie in guarded folders: there a word that a program may take for a path is read, not written.
  const isHook = subject.call.kind === 'hook';
  const { files, commands, all, holders } = sortedGuard(guard);
  const uses = part.paths.filter(
    (use) =>
      (use.isKnown || !isHook) &&
      use.spelled !== null &&
      (mayTouch(all, subject, part, use) || replacesHolder(part, use, holders)),
  );
  const touched =
    uses.length === 0
      ? []
      : files.filter((rule) => uses.some((use) => isGuardedUse(rule, subject, part, use)));
  const run = part.command === null ? [] : commands.filter((rule) => isGuardedCommand(rule, part));
  return [...touched, ...run];
}

interface SortedGuard {
  readonly files: readonly Rule[];
  readonly commands: readonly Rule[];
  /** The files of all rules: most paths are none of them. */
  readonly all: PathPattern;
  /** Of all of them: see `holdersOf`. */
  readonly holders: readonly string[];
}

const sorted = new WeakMap<readonly Rule[], SortedGuard>();

function sortedGuard(guard: readonly Rule[]): SortedGuard {
  const known = sorted.get(guard);
  if (known !== undefined) return known;
  const files = guard.filter(({ path }) => path !== null);
  const globs = files.flatMap(({ path }) => path?.globs ?? []);
  const found = {
    files,
    commands: guard.filter(({ commands }) => commands !== null),
    all: pathPattern(globs),
    holders: holdersOf(globs),
  };
  sorted.set(guard, found);
  return found;
}

function mayTouch(all: PathPattern, { roots }: Subject, part: Part, use: PathUse): boolean {
  return (
    use.resolved.some(({ spellings }) => spellings.some((each) => isNamed(all, each, roots, 'likely'))) ||
    takesWholeFolder(part, use)
  );
}

function isGuardedCommand(rule: Rule, { command }: Part): boolean {
  if (command?.program == null || rule.commands === null) return false;
  if (!patternsFor(rule.commands, command.program).some((pattern) => mayBeCommand(pattern, command)))
    return false;
  if (rule.id !== 'git-config') return true;
  const words = command.args.slice(command.args.indexOf('config') + 1);
  return !words.some((word) => word !== null && GIT_CONFIG_READS.has(word));
}

function isGuardedUse({ access, path }: Rule, { roots }: Subject, part: Part, use: PathUse): boolean {
  if (path === null || use.spelled === null) return false;
  if (access !== null && !use.access.some((each) => access.includes(each))) return false;
  if (replacesHolder(part, use, holdersOf(path.globs))) return true;
  const isWhole = takesWholeFolder(part, use);
  return use.resolved.some(({ spellings }) =>
    spellings.some(
      (each) => isNamed(path, each, roots, 'likely') || (isWhole && isAbove(each, path.globs, use, roots)),
    ),
  );
}

/** The folders in which guarded names stand, such as `/.amazonq`. */
function holdersOf(globs: readonly string[]): readonly string[] {
  const holders = globs.flatMap((glob) =>
    glob.startsWith('**/') ? [glob.slice(2, glob.lastIndexOf('/')).toLowerCase()] : [],
  );
  return [...new Set(holders)].filter((holder) => holder !== '');
}

/** Whether such a folder is itself moved, removed or put in place: all that is guarded in it goes or comes with it. */
function replacesHolder({ command }: Part, use: PathUse, holders: readonly string[]): boolean {
  if (!use.access.includes('write') || !use.isKnown || command?.program === 'mkdir') return false;
  return use.resolved.some(({ spellings }) =>
    spellings.some((each) => {
      const path = each.toLowerCase();
      return holders.some((holder) => path.endsWith(holder));
    }),
  );
}

/** The workspace holds guarded folders, and so do all folders above it and above those that are guarded by name. */
function isAbove(folder: string, globs: readonly string[], use: PathUse, { workspace }: PathRoots): boolean {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  const holdsWorkspace = folder === workspace || workspace.startsWith(prefix);
  return (holdsWorkspace && use.access.includes('write')) || globs.some((glob) => glob.startsWith(prefix));
}
