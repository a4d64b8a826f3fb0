import { posix } from 'node:path';
import { isMagicPath } from '../../../../sandbox/kernel-paths.ts';

/** What is at a path itself, links not followed. `unknown`: the file system does not tell (permissions, too long). */
export type FileEntry =
  | { readonly kind: 'missing' | 'folder' | 'other' | 'unknown' }
  | { readonly kind: 'file'; readonly links: number }
  | { readonly kind: 'link'; readonly target: string };

/** The file system, as far as decisions look at it. */
export interface FileFacts {
  entry(path: string): FileEntry;
  /** What lies right in a folder; null when it cannot be read. */
  names(folder: string): readonly FolderEntry[] | null;
}

export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

export interface ResolvedPath {
  /** Where it leads, links followed: for the kernel, and for a tool that first takes `..` out of the text. */
  readonly real: readonly string[];
  /** The same, and every spelling on the way: what a guard must be compared with. */
  readonly spellings: readonly string[];
  readonly doubt: PathDoubt | null;
  /** A regular file with more names than this one. */
  readonly isHardLinked: boolean;
}

/** Why nobody can know where a path leads. */
export type PathDoubt = 'nul' | 'magic' | 'links' | 'unknown' | 'too_long';

const MAX_LINKS = 40;
/** Of the targets of all links on one way; the kernel takes 4096 for each, and nobody has more than a few dozen. */
const MAX_TARGET_CHARACTERS = 8192;
const MAX_LENGTH = 4096;

/** Resolves a path as the kernel would, from `base` (absolute); what is missing is taken as it is written. */
export function resolvePath(path: string, base: string, files: FileFacts): ResolvedPath {
  if (path.includes('\0')) return doubtful('nul', []);
  const absolute = path.startsWith('/') ? path : `${base}/${path}`;
  const normal = UNTIDY.test(absolute) ? tidy(posix.normalize(absolute)) : absolute;
  if (absolute.length > MAX_LENGTH) return doubtful('too_long', [normal]);
  const walk = follow(absolute, files);
  // Without `..` both ways to read the text are the same.
  const lexical = absolute.includes('..') ? follow(normal, files) : walk;
  const isPlain = lexical === walk && walk.stages.length === 0 && walk.real === normal;
  const real = isPlain ? [normal] : [...new Set([walk.real, lexical.real])];
  const spellings = isPlain ? real : [...new Set([...real, normal, ...walk.stages, ...lexical.stages])];
  return {
    real,
    spellings,
    doubt: walk.doubt ?? lexical.doubt ?? (spellings.some(isMagicPath) ? 'magic' : null),
    isHardLinked: walk.isHardLinked || lexical.isHardLinked,
  };
}

/** Has segments that say nothing, or lead back. */
const UNTIDY = /\/\.{0,2}(?:\/|$)/;

function doubtful(doubt: PathDoubt, spellings: readonly string[]): ResolvedPath {
  return { real: [], spellings, doubt, isHardLinked: false };
}

interface Walk {
  readonly real: string;
  readonly stages: readonly string[];
  readonly doubt: PathDoubt | null;
  readonly isHardLinked: boolean;
}

function follow(absolute: string, files: FileFacts): Walk {
  const stages: string[] = [];
  let left = absolute.split('/').reverse();
  let at = '';
  let links = 0;
  let targetCharacters = 0;
  let isThere = true;
  let isHardLinked = false;
  const end = (doubt: PathDoubt | null): Walk => ({
    real: at === '' ? '/' : at,
    stages,
    doubt,
    isHardLinked,
  });
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    at = `${at}/${name}`;
    if (!isThere) continue;
    // Its links are those of our process, not of the one who will open it.
    if (isMagicPath(at)) return { ...end('magic'), real: tidy(posix.join(at, ...left.toReversed())) };
    const entry = files.entry(at);
    isHardLinked = entry.kind === 'file' && entry.links > 1;
    if (entry.kind === 'missing') isThere = false;
    if (entry.kind === 'unknown')
      return { ...end('unknown'), real: tidy(posix.join(at, ...left.toReversed())) };
    if (entry.kind !== 'link') continue;
    links++;
    targetCharacters += entry.target.length;
    if (links > MAX_LINKS || targetCharacters > MAX_TARGET_CHARACTERS) return end('links');
    stages.push(tidy(posix.join(at, ...left.toReversed())));
    left = [...left, ...entry.target.split('/').reverse()];
    at = entry.target.startsWith('/') ? '' : at.slice(0, at.lastIndexOf('/'));
  }
  return end(null);
}

function tidy(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
