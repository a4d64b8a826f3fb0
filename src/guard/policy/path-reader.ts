import type { Access } from '../tools.ts';
import type { GuardedCall } from './call.ts';
import { type FileFacts, type ResolvedPath, resolvePath } from './resolve-path.ts';
import type { PathUse } from './subject.ts';

/** Resolves the paths of one call: workspace and current folder first, by the names they really have. */
export class PathReader {
  readonly workspace: string;
  readonly cwd: string;
  readonly #files: FileFacts;
  readonly #spelledWorkspace: string;

  constructor(call: GuardedCall, files: FileFacts) {
    this.#files = files;
    this.#spelledWorkspace = call.workspace.replace(/\/+$/, '');
    this.workspace = this.real(call.workspace);
    this.cwd = this.real(call.cwd);
  }

  /** Where an absolute path leads; as it is written where nobody can tell. */
  real(path: string): string {
    return resolvePath(path, '/', this.#files).real[0] ?? path;
  }

  resolve(path: string, base: string = this.cwd): ResolvedPath {
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
