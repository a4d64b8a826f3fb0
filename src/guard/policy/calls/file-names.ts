import { posix } from 'node:path';
import type { FileNames } from '../../command/read-command.ts';
import type { CommandReading } from '../../command/reading.ts';
import { fitsGlob, isGlob } from '../rules/text-glob.ts';
import type { PathReader } from './path-reader.ts';

/** So many names a pattern may stand for, and so many may lie in a folder that is looked into for it. */
const MAX_NAMES = 256;
const MAX_LISTED = 5000;
/** So many names all patterns of a command are compared with, and so many they are given: a decision takes no seconds. */
const MAX_COMPARED = 40_000;
const MAX_GIVEN = 3000;

/** What patterns of a command stand for now, as bash fills them in. One for each reading. */
export class PatternNames {
  readonly #paths: PathReader;
  readonly #base: string;
  readonly #found = new Map<string, ReadonlySet<string>>();
  readonly #known = new Map<string, readonly string[] | null>();
  #compared = 0;
  #given = 0;

  constructor(paths: PathReader, base: string) {
    this.#paths = paths;
    this.#base = base;
  }

  readonly files: FileNames = (pattern, folder) => {
    const start = posix.join(folder.startsWith('/') ? '/' : this.#base, folder);
    const key = `${start}\0${pattern}`;
    const known = this.#known.get(key);
    const names = known === undefined ? namesOf(pattern, start, this.#lister) : known;
    this.#known.set(key, names);
    this.#given += names?.length ?? 0;
    if (this.#given > MAX_GIVEN) return null;
    if (names !== null && known === undefined)
      this.#found.set(
        posix.resolve(start, pattern),
        new Set(names.map((name) => posix.resolve(start, name))),
      );
    return names;
  };

  readonly #lister: Lister = {
    isThere: (path) => {
      // A look at the disk costs as much as a few names.
      this.#compared += 10;
      return this.#compared > MAX_COMPARED || this.#paths.isThere(path);
    },
    namesIn: (path) => {
      if (this.#compared > MAX_COMPARED) return null;
      const listed = this.#paths.namesIn(path);
      this.#compared += 1 + (listed?.length ?? 0);
      return listed;
    },
  };

  /** Whether a command of the reading may make a name that one of the patterns would stand for, before it is filled in. */
  mayGrow({ commands, redirects }: CommandReading): boolean {
    if (this.#found.size === 0 || commands.length + redirects.length < 2) return false;
    const written = [
      ...commands.flatMap(({ writes }) => writes),
      ...redirects.filter(({ mode }) => mode !== 'read').map(({ path }) => path),
    ];
    return written.some((path) => path === null || this.#isNew(posix.resolve(this.#base, path)));
  }

  #isNew(path: string): boolean {
    const real = this.#realOf(path);
    return [...this.#found].some(([pattern, names]) => {
      if (names.has(path) || this.#paths.isThere(path)) return false;
      return [path, real].some((each) => mayFit(each, pattern) || mayFit(each, this.#realOf(pattern)));
    });
  }

  /** By the folder that it really stands in: a link may lead there. */
  #realOf(path: string): string {
    const segments = path.split('/');
    const firstGlob = segments.findIndex(isGlob);
    const own = firstGlob === -1 ? segments.length - 1 : firstGlob;
    const folder = this.#paths.real(segments.slice(0, own).join('/') || '/');
    return [folder === '/' ? '' : folder, ...segments.slice(own)].join('/');
  }
}

function mayFit(path: string, pattern: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return given.length <= wanted.length && given.every((each, at) => fitsGlob(wanted[at] ?? '', each));
}

const IS_ASCII = /^[\x20-\x7e]*$/;

type Lister = Pick<PathReader, 'isThere' | 'namesIn'>;

interface Step {
  /** As it is written. */
  readonly typed: string;
  readonly at: string;
}

function namesOf(pattern: string, start: string, paths: Lister): readonly string[] | null {
  const segments = pattern.split('/');
  const firstGlob = segments.findIndex(isGlob);
  // Before bash 5.2 `.*` is also the folder and the one above it, `..*` too.
  if (firstGlob === -1 || segments.some((each) => /^\.{1,2}[*?]/.test(each))) return null;
  const literal = segments.slice(0, firstGlob).map((each) => `${each}/`);
  let steps: readonly Step[] = [
    { typed: literal.join(''), at: posix.resolve(start, literal.join('') || '.') },
  ];
  for (const [index, segment] of segments.slice(firstGlob).entries()) {
    const isLast = firstGlob + index === segments.length - 1;
    const next = steps.map((step) => stepsInto(step, segment, isLast, paths));
    if (next.includes(null)) return null;
    steps = next.flatMap((each) => each ?? []);
    if (steps.length > MAX_NAMES) return null;
  }
  // Where there is none, the pattern itself is the word.
  return steps.length === 0 ? [pattern] : steps.map(({ typed }) => typed);
}

function stepsInto({ typed, at }: Step, segment: string, isLast: boolean, paths: Lister): Step[] | null {
  const end = isLast ? '' : '/';
  if (segment === '') return [{ typed: typed + end, at }];
  if (!isGlob(segment)) {
    const path = `${at}/${segment}`;
    return paths.isThere(path) ? [{ typed: typed + segment + end, at: path }] : [];
  }
  const listed = paths.namesIn(at);
  if (listed === null || listed.length > MAX_LISTED) return null;
  // `?` is a character or a byte, by the language of the shell.
  if (segment.includes('?') && listed.some(({ name }) => !IS_ASCII.test(name))) return null;
  const found = listed.filter(
    ({ name, isFolder, isLink }) =>
      (isLast || isFolder || isLink) &&
      (segment.startsWith('.') || !name.startsWith('.')) &&
      fitsGlob(segment, name),
  );
  // A name that is no UTF-8 has no spelling here.
  if (found.some(({ name }) => name.includes('\ufffd'))) return null;
  return found.map(({ name }) => ({ typed: typed + name + end, at: `${at}/${name}` }));
}
