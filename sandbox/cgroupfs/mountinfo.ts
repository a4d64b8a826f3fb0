/** A mounted cgroup hierarchy, as /proc/self/mountinfo tells of it. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** The part of the hierarchy that is visible at the mount point; not `/` inside a container. */
  readonly root: string;
  /** Controllers of a v1 hierarchy; empty for v2, which tells them in `cgroup.controllers`. */
  readonly controllers: readonly string[];
}

/** The cgroup mounts in the text of /proc/self/mountinfo. See proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    // Optional fields end at ' - '; after it come type, source and the options of the file system.
    const [left, right] = line.split(' - ', 2);
    if (left === undefined || right === undefined) continue;
    const [type, , options = ''] = right.split(' ');
    const [, , , root = '/', mountPoint = ''] = left.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const place = { mountPoint: unescapeOctal(mountPoint), root: unescapeOctal(root) };
    if (type === 'cgroup2') mounts.push({ version: 2, ...place, controllers: [] });
    else mounts.push({ version: 1, ...place, controllers: options.split(',').filter(isControllerName) });
  }
  return mounts;
}

/** Path within each hierarchy by controller name, from the text of /proc/self/cgroup; the v2 one has the key ''. */
export function parseOwnCgroups(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    for (const controller of (match[1] ?? '').split(',')) paths.set(controller, match[2] ?? '/');
  }
  return paths;
}

/** The mount that holds a v1 controller, or the v2 tree when `controller` is ''. */
export function findMount(mounts: readonly CgroupMount[], controller: string): CgroupMount | undefined {
  if (controller === '') return mounts.find((mount) => mount.version === 2);
  return mounts.find((mount) => mount.controllers.includes(controller));
}

/**
 * Folders to try as the parent of ours, nearest first: the own cgroup, then each folder above it up to the mount
 * point. Staying near keeps us under the limits somebody set for us. A path inside one of our own scopes is cut
 * before it, so that a supervisor started from a step does not nest.
 */
export function foldersUpward(mount: CgroupMount, ownPath: string): string[] {
  let inside = ownPath;
  if (mount.root !== '/') inside = ownPath.startsWith(mount.root) ? ownPath.slice(mount.root.length) : '/';
  // A path above the cgroup namespace reads /../..: only the mount point itself is ours to see.
  const parts = inside.split('/').filter((part) => part !== '');
  const reserved = parts.findIndex((part) => part === '..' || part === 'q-workflow');
  const usable = parts[reserved] === '..' ? [] : parts.slice(0, reserved === -1 ? parts.length : reserved);
  const folders: string[] = [];
  for (let length = usable.length; length >= 0; length -= 1) {
    folders.push([mount.mountPoint, ...usable.slice(0, length)].join('/'));
  }
  return folders;
}

function isControllerName(option: string): boolean {
  return /^[a-z_]+$/.test(option) && option !== 'rw' && option !== 'ro' && option !== 'xattr';
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
