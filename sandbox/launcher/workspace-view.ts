import { closeSync, fstatSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { StepUser } from './ground.ts';
import { type Access, isInside, type Mount } from './mount.ts';
import { holdFolder, makeBeneath, openBeneath } from './open-beneath.ts';
import { realPath } from './real-path.ts';

export interface WorkspaceRequest {
  /** Absolute; links in it are resolved. */
  readonly workspace: string;
  /** False: a private empty folder stands in its place. */
  readonly isShown: boolean;
  /** Paths that may be read, relative to the workspace; null = all of it. Those that may be written can be read too. */
  readonly read: readonly string[] | null;
  /** Paths that may be written; null = all that is seen. A missing one is made. */
  readonly write: readonly string[] | null;
  /** Real paths: never seen, and never written, wherever they lie. */
  readonly hidden: readonly string[];
  readonly readOnly: readonly string[];
  /** Whether sources go by descriptor. */
  readonly takesDescriptors: boolean;
  /** The working folder, a real path: it is there even where nothing of the workspace is shown. */
  readonly cwd: string;
  /** Who gets what is made. */
  readonly user: StepUser | null;
}

export interface WorkspaceView {
  readonly mounts: readonly Mount[];
  /** Descriptors behind the mounts; whoever gets the view closes them after the launch. */
  readonly descriptors: readonly number[];
}

/**
 * The workspace as a step sees it. Everything in it may be changed by another step at the same moment, so sources
 * are opened beneath the held workspace without following a link, and the folders above something hidden are
 * mounts of their own: a mount cannot be renamed away from what is mounted below it.
 */
export function workspaceView(request: WorkspaceRequest): WorkspaceView {
  const root = realPath(request.workspace) ?? request.workspace;
  const folder: Mount[] = isInside(request.cwd, root) ? [{ kind: 'folder', target: request.cwd }] : [];
  if (!request.isShown) return { mounts: [{ kind: 'empty', target: root }, ...folder], descriptors: [] };
  const view = new ViewBuilder(root, request);
  try {
    view.showAll();
    for (const path of request.hidden) view.cover(path, 'hide');
    // What is hidden is read-only as it is; shown again it would not be hidden.
    for (const path of request.readOnly)
      if (!request.hidden.some((folder) => isInside(path, folder))) view.cover(path, 'freeze');
    const ordered = view.mounts.toSorted((a, b) => depthOf(a) - depthOf(b));
    const isPartial = request.read !== null;
    const mounts = isPartial ? [...ordered, ...folder, { kind: 'seal', target: root } as const] : ordered;
    return { mounts, descriptors: view.descriptors };
  } catch (error) {
    view.close();
    throw error;
  }
}

function depthOf({ target }: Mount): number {
  return target.split('/').length;
}

class ViewBuilder {
  readonly mounts: Mount[] = [];
  readonly descriptors: number[] = [];
  readonly #root: string;
  readonly #request: WorkspaceRequest;
  readonly #held: number;
  readonly #shown: string[] = [];

  constructor(root: string, request: WorkspaceRequest) {
    this.#root = root;
    this.#request = request;
    this.#held = holdFolder(root);
    this.descriptors.push(this.#held);
  }

  close(): void {
    for (const descriptor of this.descriptors) closeSync(descriptor);
  }

  showAll(): void {
    const { read, write } = this.#request;
    if (read === null) this.#show(this.#root, write === null ? 'write' : 'read');
    else this.mounts.push({ kind: 'empty', target: this.#root });
    const written = (write ?? []).flatMap((label) => this.#place(label, 'write'));
    const readable = (read ?? [])
      .flatMap((label) => this.#place(label, 'read'))
      .filter((path) => !written.some((folder) => isInside(path, folder)));
    for (const path of readable) this.#show(path, write === null ? 'write' : 'read');
    for (const path of written) this.#show(path, 'write');
  }

  /** Hides a path, or takes away the right to write it, when something of it is in view. */
  cover(path: string, how: 'hide' | 'freeze'): void {
    if (!this.#shown.some((shown) => isInside(path, shown) || isInside(shown, path))) return;
    const parts = this.#parts(path);
    if (parts === null || parts.length === 0) return;
    const opened = this.#open(parts);
    if (opened === null) return;
    for (let depth = 1; depth < parts.length; depth += 1) this.#pin(parts.slice(0, depth));
    if (how === 'freeze') this.#add(opened, path, 'read');
    else if (fstatSync(opened).isDirectory()) {
      this.mounts.push({ kind: 'empty', target: path }, { kind: 'seal', target: path });
    } else this.mounts.push({ kind: 'mask', target: path });
  }

  #pin(parts: readonly string[]): void {
    const path = join(this.#root, ...parts);
    const isPinned = this.mounts.some((mount) => mount.kind === 'show' && mount.target === path);
    const inView = this.#shown.some((shown) => isInside(path, shown));
    const opened = isPinned || !inView ? null : this.#open(parts);
    if (opened !== null) this.#add(opened, path, this.#accessOf(path));
  }

  /** The access that the innermost shown folder around a path gives. */
  #accessOf(path: string): Access {
    let innermost: Extract<Mount, { kind: 'show' }> | null = null;
    for (const mount of this.mounts)
      if (mount.kind === 'show' && isInside(path, mount.target))
        if (innermost === null || mount.target.length >= innermost.target.length) innermost = mount;
    return innermost?.access ?? 'read';
  }

  #show(path: string, access: Access): void {
    const parts = this.#parts(path) ?? [];
    const opened = parts.length === 0 ? this.#held : this.#open(parts);
    if (opened === null) return;
    this.#shown.push(path);
    this.#add(opened, path, access);
  }

  #add(fd: number, target: string, access: Access): void {
    const source = this.#request.takesDescriptors ? { fd } : { path: target };
    this.mounts.push({ kind: 'show', source, target, access });
  }

  /** The real path of a label inside the workspace: none for one that leads out, or to nothing that may be made. */
  #place(label: string, access: Access): string[] {
    const path = resolve(this.#root, label);
    const parts = this.#parts(path);
    if (parts === null) return [];
    if (access === 'write' && realPath(path) === null) {
      const isFolder = label.endsWith('/') || !(parts.at(-1) ?? '').includes('.');
      attempt(() => makeBeneath(this.#held, parts, isFolder ? 'folder' : 'file', this.#request.user));
    }
    const real = realPath(path);
    return real === null || this.#parts(real) === null ? [] : [real];
  }

  /** Names from the workspace down to a path; null outside of it. */
  #parts(path: string): string[] | null {
    if (!isInside(path, this.#root)) return null;
    return relative(this.#root, path)
      .split('/')
      .filter((part) => part !== '');
  }

  #open(parts: readonly string[]): number | null {
    const descriptor = attempt(() => openBeneath(this.#held, parts));
    if (descriptor !== null) this.descriptors.push(descriptor);
    return descriptor;
  }
}

/** Null where something is gone, or was turned into a link since we looked: then it is not shown. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(code)) return null;
    throw error;
  }
}
