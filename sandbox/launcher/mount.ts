/** One entry of a step's file view, in the order in which it is made: a later one lies over an earlier one. */
export type Mount =
  /** A folder or file of the host, at its own path or another. */
  | { readonly kind: 'show'; readonly source: Source; readonly target: string; readonly access: Access }
  /** An empty folder in memory, gone with the step. */
  | { readonly kind: 'empty'; readonly target: string }
  /** A file of ours that can be read only. */
  | { readonly kind: 'text'; readonly target: string; readonly text: string }
  /** A file that cannot be opened: a device on a mount that knows none. */
  | { readonly kind: 'mask'; readonly target: string }
  | { readonly kind: 'link'; readonly target: string; readonly to: string }
  | { readonly kind: 'folder'; readonly target: string }
  /** What is mounted there becomes read-only; mounts below it keep what they are. */
  | { readonly kind: 'seal'; readonly target: string }
  | { readonly kind: 'proc' | 'dev'; readonly target: string };

export type Access = 'read' | 'write';

/** A path, or a descriptor of ours (O_PATH) that no rename or link can turn to something else meanwhile. */
export type Source = { readonly path: string } | { readonly fd: number };

/** `show` at its own path. */
export function show(path: string, access: Access = 'read'): Mount {
  return { kind: 'show', source: { path }, target: path, access };
}

/** True when `path` is `folder` or below it; both absolute and normal. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** A descriptor of ours, or a text that is read from one. */
export type HandedSource = { readonly fd: number } | { readonly text: string };

/** The mounts as options of bwrap. `place` answers the descriptor number that a source will have in the launched process. */
export function mountOptions(mounts: readonly Mount[], place: (source: HandedSource) => number): string[] {
  return mounts.flatMap((mount) => optionOf(mount, place));
}

function optionOf(mount: Mount, place: (source: HandedSource) => number): string[] {
  switch (mount.kind) {
    case 'show': {
      const verb = mount.access === 'write' ? '--bind' : '--ro-bind';
      return 'fd' in mount.source
        ? [`${verb}-fd`, String(place({ fd: mount.source.fd })), mount.target]
        : [verb, mount.source.path, mount.target];
    }
    case 'empty':
      return ['--tmpfs', mount.target];
    case 'text':
      return ['--ro-bind-data', String(place({ text: mount.text })), mount.target];
    case 'mask':
      return ['--ro-bind', '/dev/null', mount.target];
    case 'link':
      return ['--symlink', mount.to, mount.target];
    case 'folder':
      return ['--dir', mount.target];
    case 'seal':
      return ['--remount-ro', mount.target];
    case 'proc':
    case 'dev':
      return [`--${mount.kind}`, mount.target];
  }
}
