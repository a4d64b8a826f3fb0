/** `deniedPaths` of an agent file: which paths they name. */
import { matchesGlob, resolve } from 'node:path';
import { isNamed, type PathPattern } from '../../guard/policy/rules/path-pattern.ts';

export interface Folders {
  readonly workspace: string;
  readonly home: string | null;
}

const MAX_EXPANDED = 256;

/**
 * The first pattern that names an absolute path or a folder above it; null when none does. Stars mean hidden files, too,
 * and letters count in any case: what denies is read generously.
 */
export function deniedBy(
  patterns: readonly string[],
  path: string,
  { workspace, home }: Folders,
): string | null {
  const roots = { workspace, home: home ?? '~' };
  const denies = (pattern: string): boolean =>
    patternsOf(pattern, roots).some(
      (each) => each.globs.some((glob) => matchesGlob(path, glob)) || isNamed(each, path, roots, 'likely'),
    );
  return patterns.find(denies) ?? null;
}

const known = new Map<string, readonly PathPattern[]>();

/** Absolute, without braces; and what ends in `/**` names the folder itself. */
function patternsOf(
  pattern: string,
  { workspace, home }: { workspace: string; home: string },
): readonly PathPattern[] {
  const key = `${workspace}\0${home}\0${pattern}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = expanded(pattern.replace(/^~(?=\/|$)/, home)).map((each) => {
    const glob = resolve(workspace, each);
    return { within: [], globs: [glob, glob.replace(/\/\*\*$/, '')], except: [] };
  });
  known.set(key, made);
  return made;
}

/** `a{b,c}` is `ab` and `ac`. */
function expanded(pattern: string): readonly string[] {
  const open = [pattern];
  const done: string[] = [];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [, before = '', words = '', after = ''] = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(next) ?? [];
    if (words.includes(',') && open.length + done.length < MAX_EXPANDED)
      open.push(...words.split(',').map((word) => before + word + after));
    else done.push(next);
  }
  return done;
}
