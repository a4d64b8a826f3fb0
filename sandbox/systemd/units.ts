/** Names and places of systemd units, as far as we make or judge them. Pure: paths are those within the v2 tree. */

const PREFIX = 'q-workflow-';

/** A unit of systemd that a process runs in. */
export interface Unit {
  readonly name: string;
  /** It belongs to a user's own systemd, not to the machine's. */
  readonly isUsers: boolean;
}

/** Name of the scope that a supervisor of the home `key` makes at that time (ms): starts sort by it and never meet. */
export function scopeUnitName(key: string, startedAt: number): string {
  return `${PREFIX}${key}-${startedAt}.scope`;
}

/** True for the name of a scope that a supervisor of this home made, this one or an earlier. */
export function isScopeUnitOf(key: string, name: string): boolean {
  return (
    name.startsWith(`${PREFIX}${key}-`) && /^\d+\.scope$/.test(name.slice(PREFIX.length + key.length + 1))
  );
}

/** Slice that our scopes are asked into, and where it is in the tree; root's belong to the machine's systemd. */
export function scopeSlice(uid: number): { readonly name: string; readonly path: string } {
  if (uid === 0) return { name: 'system.slice', path: '/system.slice' };
  return { name: 'app.slice', path: `/user.slice/user-${uid}.slice/user@${uid}.service/app.slice` };
}

/** Words for systemd-run before the command. `TasksMax`: each instance has its own limit, the sum needs no second. */
export function systemdRunArguments(unit: string, uid: number): string[] {
  return [
    ...(uid === 0 ? [] : ['--user']),
    '--scope',
    '--quiet',
    '--collect',
    `--unit=${unit}`,
    `--slice=${scopeSlice(uid).name}`,
    '--description=instances of q workflow',
    '--property=Delegate=yes',
    '--property=TasksMax=infinity',
  ];
}

/**
 * True when processes started from the cgroup `own` may enter cgroups of the scope: root always; a user needs write
 * access to their common ancestor (cgroup-v2.rst 2-5-2), and has it only within the own systemd, not in the
 * `session-N.scope` of a login.
 */
export function mayEnter(own: string, scope: string, uid: number): boolean {
  if (uid === 0) return true;
  const manager = /^.*?\/user@\d+\.service\//.exec(scope)?.[0];
  return manager !== undefined && own.startsWith(manager);
}

/** The unit that a cgroup path lies in, or null outside of any: the last part of it that names a service or scope. */
export function unitOf(path: string): Unit | null {
  const parts = path.split('/');
  const last = parts.findLastIndex((part) => /\.(service|scope)$/.test(part));
  const name = parts[last];
  if (name === undefined) return null;
  return { name, isUsers: parts.slice(0, last).some((part) => /^user@\d+\.service$/.test(part)) };
}
