import type { Access } from '../../tools.ts';
import type { GuardedCall } from './call.ts';
import { type FileFacts, type FolderEntry, type ResolvedPath, resolvePath } from './resolve-path.ts';
import type { PathUse } from './subject.ts';

/** So many names are looked at for one decision; beyond that it would take seconds. */
const MAX_LOOKS = 20_000;

/** Resolves the paths of one call: workspace and current folder first, by the names they really have. */
export class PathReader {
  readonly workspace: string;
  readonly cwd: string;
  readonly #files: FileFacts;
  readonly #home: string;
  readonly #spelledWorkspace: string;
  readonly #known = new Map<string, ResolvedPath>();
  #looks = 0;

  constructor(call: GuardedCall, files: FileFacts, home: string) {
    this.#files = {
      entry: (path) => {
        this.#looks += 1;
        return this.isExhausted ? { kind: 'unknown' } : files.entry(path);
      },
      names: (folder) => files.names(folder),
    };
    this.#home = home;
    this.#spelledWorkspace = call.workspace.replace(/\/+$/, '');
    this.workspace = this.real(call.workspace);
    this.cwd = this.real(call.cwd);
  }

  /** More names would have had to be looked at than there is time for: nobody knows where the last paths lead. */
  get isExhausted(): boolean {
    return this.#looks > MAX_LOOKS;
  }

  /** Whether an absolute path may name something: a file, a folder, a link, or what cannot be looked at. */
  isThere(path: string): boolean {
    return this.#files.entry(path).kind !== 'missing';
  }

  /** What lies in a folder, by an absolute path; null where it is none or nobody can tell. */
  namesIn(path: string): readonly FolderEntry[] | null {
    const { real, doubt } = resolvePath(path, '/', this.#files);
    const [folder, ...others] = real;
    if (folder === undefined || others.length > 0 || doubt !== null) return null;
    return this.#files.entry(folder).kind === 'folder' ? this.#files.names(folder) : null;
  }

  /** Where an absolute path leads; as it is written where nobody can tell. */
  real(path: string): string {
    return resolvePath(path, '/', this.#files).real[0] ?? path;
  }

  /** Who reads it may put the home folder in for `~`, or not: both are meant. */
  resolve(path: string, base: string = this.cwd): ResolvedPath {
    const key = `${base}\0${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const asWritten = this.#resolve(path, base);
    const resolved = /^~(\/|$)/.test(path)
      ? both(asWritten, this.#resolve(`${this.#home}${path.slice(1)}`, base))
      : asWritten;
    this.#known.set(key, resolved);
    return resolved;
  }

  #resolve(path: string, base: string): ResolvedPath {
    const isBySpelling =
      this.#spelledWorkspace !== this.workspace && path.startsWith(`${this.#spelledWorkspace}/`);
    const from = isBySpelling ? `${this.workspace}${path.slice(this.#spelledWorkspace.length)}` : path;
    return resolvePath(from, base, this.#files);
  }

  use(
    path: string | null,
    access: readonly Access[],
    isKnown: boolean,
    bases: readonly string[] = [this.cwd],
  ): PathUse {
    return {
      spelled: path,
      access,
      isKnown,
      resolved: path === null ? [] : bases.map((base) => this.resolve(path, base)),
    };
  }
}

function both(one: ResolvedPath, other: ResolvedPath): ResolvedPath {
  return {
    real: [...new Set([...one.real, ...other.real])],
    spellings: [...new Set([...one.spellings, ...other.spellings])],
    doubt: one.doubt ?? other.doubt,
    isHardLinked: one.isHardLinked || other.isHardLinked,
  };
}
