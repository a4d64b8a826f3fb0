import type { PathFile } from '../files/policy-file.ts';
import { many } from '../files/policy-file.ts';
import { type PathMatcher, pathMatcher, type Segments, type Shape, type SplitPath } from './path-matcher.ts';

/** Folders that stand for a variable of a pattern. All absolute. */
export interface PathRoots {
  readonly workspace: string;
  readonly home: string;
}

/**
 * How a pattern is read. `sure`: exactly as written, for what lifts a guard. `likely`: without regard to case,
 * invisible characters and dots at the end, a bare name at any depth, all below what it names; for what guards.
 */
export type Reading = 'sure' | 'likely';

export interface PathPattern {
  readonly within: readonly string[];
  readonly globs: readonly string[];
  readonly except: readonly string[];
}

/** A text or list is globs, an object says more. */
export function pathPattern(file: string | readonly string[] | PathFile): PathPattern {
  if (typeof file === 'string') return { within: [], globs: [file], except: [] };
  if (isList(file)) return { within: [], globs: file, except: [] };
  return { within: many(file.within), globs: many(file.globs), except: many(file.except) };
}

function isList(file: readonly string[] | PathFile): file is readonly string[] {
  return Array.isArray(file);
}

/** What is wrong with a pattern, in words; null when it can be used. */
export function patternProblem(pattern: string): string | null {
  const unknown = /\$\{(?!workspace\}|home\})[^}]*\}?/.exec(pattern)?.[0];
  if (unknown !== undefined) return `knows no ${unknown}; there are \${workspace} and \${home}`;
  if (pattern.includes('\0')) return 'holds a NUL';
  if (/\$\{/.test(pattern.slice(1))) return 'has a variable that is not at its beginning';
  if (pattern.split('/').includes('..')) return 'holds ".."';
  return null;
}

/** Whether an absolute, normalised path is named. A pattern of `except` alone names all paths. */
export function isNamed(pattern: PathPattern, path: string, roots: PathRoots, reading: Reading): boolean {
  const { named } = compiledFor(pattern, roots)[reading];
  return named === null || named.fits(splitPath(path, reading));
}

/** Whether a path is taken out. What lifts a guard must be sure, what is taken out of a permission is guarded. */
export function isExcepted(pattern: PathPattern, path: string, roots: PathRoots, reading: Reading): boolean {
  return (
    pattern.except.length > 0 && compiledFor(pattern, roots)[reading].except.fits(splitPath(path, reading))
  );
}

/**
 * Whether a name in a folder that is not named itself may make the path named as a whole (`likely`). Folders that are
 * looked through have thousands of names, and nearly none of them may.
 */
export function mayEndNamed(pattern: PathPattern, name: string, roots: PathRoots): boolean {
  // What Unicode folds may become more than one name.
  if (!/^[\x21-\x7e]+$/.test(name)) return true;
  const { named } = compiledFor(pattern, roots).likely;
  return named === null || named.mayEndIn(foldPath(name));
}

interface Compiled {
  /** Null: all paths. */
  readonly named: PathMatcher | null;
  readonly except: PathMatcher;
}

/** For the roots of the last decision, which are most often those of the next one. */
let cacheRoots: PathRoots = { workspace: '', home: '' };
let cache = new WeakMap<PathPattern, Readonly<Record<Reading, Compiled>>>();

function compiledFor(pattern: PathPattern, roots: PathRoots): Readonly<Record<Reading, Compiled>> {
  if (roots.workspace !== cacheRoots.workspace || roots.home !== cacheRoots.home) {
    cacheRoots = roots;
    cache = new WeakMap();
  }
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const compiled = { sure: compile(pattern, roots, 'sure'), likely: compile(pattern, roots, 'likely') };
  cache.set(pattern, compiled);
  return compiled;
}

function compile({ within, globs, except }: PathPattern, roots: PathRoots, reading: Reading): Compiled {
  const shapes = (patterns: readonly string[], isFolder: boolean): Shape[] =>
    patterns.flatMap((each) => shapesOf(each, isFolder, roots, reading));
  const isOpen = within.length + globs.length === 0;
  return {
    named: isOpen ? null : pathMatcher([...shapes(within, true), ...shapes(globs, false)]),
    except: pathMatcher(shapes(except, false)),
  };
}

function shapesOf(pattern: string, isFolder: boolean, roots: PathRoots, reading: Reading): Shape[] {
  const trimmed = pattern.replace(/\/+$/, '');
  // A folder stands for all below it; where we guard, any name does: it may be one.
  const isTree = isFolder || pattern.endsWith('/') || reading === 'likely';
  return absolutes(trimmed, roots, reading).map((absolute) => ({
    segments: segmentsOf(reading === 'sure' ? absolute : foldPath(absolute)),
    isTree,
  }));
}

const MAX_CACHED = 1024;
const split = { sure: new Map<string, SplitPath>(), likely: new Map<string, SplitPath>() };

/** The same path is compared with many patterns. */
function splitPath(path: string, reading: Reading): SplitPath {
  const known = split[reading].get(path);
  if (known !== undefined) return known;
  const segments = segmentsOf(reading === 'sure' ? path : foldPath(path));
  const found = { segments, text: `/${segments.join('/')}` };
  if (split[reading].size >= MAX_CACHED) split[reading].clear();
  split[reading].set(path, found);
  return found;
}

function absolutes(pattern: string, roots: PathRoots, reading: Reading): readonly string[] {
  for (const [name, folder] of [
    ['${workspace}', roots.workspace],
    ['${home}', roots.home],
    ['~', roots.home],
  ] as const)
    if (pattern === name || pattern.startsWith(`${name}/`)) return [`${folder}${pattern.slice(name.length)}`];
  if (pattern.startsWith('/') || pattern === '') return [pattern];
  if (pattern.startsWith('**/')) return [`/${pattern}`];
  const below = pattern.replace(/^(\.\/+)+/, '');
  const here = below === '.' ? roots.workspace : `${roots.workspace}/${below}`;
  return reading === 'likely' && !below.includes('/') && below !== '.' ? [here, `/**/${below}`] : [here];
}

function segmentsOf(path: string): Segments {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

/** Zero-width and direction marks: some file systems leave them out of a name (git's CVE-2014-9390). */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** One form for all the spellings that some file system takes for the same file. */
function foldPath(path: string): string {
  if (/^[a-z0-9_/-]*$/.test(path)) return path;
  const plain = /^[\x21-\x7e]*$/.test(path)
    ? path.toLowerCase()
    : path.normalize('NFKC').replace(INVISIBLE, '').toLowerCase().normalize('NFC');
  // A name of dots alone is no name with dots at its end.
  return plain.replace(/([^/.\s])[.\s]+(?=\/|$)/g, '$1');
}
