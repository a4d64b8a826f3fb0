import { existsSync } from 'node:fs';

/** What a machine is, as far as it says how cgroups can be had on it. */
export interface CgroupMachine {
  readonly isLinux: boolean;
  /** systemd is its init. */
  readonly hasSystemd: boolean;
  /** Only cgroup v2 is mounted: v1 and the hybrid cannot be handed to a user by systemd. */
  readonly isUnified: boolean;
  readonly isRoot: boolean;
}

export const POLLING_ASKED = 'Polling was asked for.';

export const BOOT_V2 = 'Boot with cgroup v2: systemd.unified_cgroup_hierarchy=1';

export function cgroupMachine(
  uid: number | undefined = process.getuid?.(),
  exists: (path: string) => boolean = existsSync,
): CgroupMachine {
  return {
    isLinux: process.platform === 'linux',
    hasSystemd: exists('/run/systemd/system'),
    isUnified: exists('/sys/fs/cgroup/cgroup.controllers'),
    isRoot: uid === 0,
  };
}

/** What would give the supervisor cgroups, by which the kernel holds limits; `missing` says why it has none. */
export function cgroupAdvice(missing: readonly string[], machine: CgroupMachine): string {
  const { isLinux, hasSystemd, isUnified, isRoot } = machine;
  if (missing.includes(POLLING_ASKED))
    return 'Leave --isolation and Q_WORKFLOW_ISOLATION away, then start the supervisor anew';
  if (!isLinux) return 'Run it on Linux: only there the kernel holds limits of whole trees';
  if (!isUnified) return isRoot ? BOOT_V2 : `${BOOT_V2}, or run the supervisor as root`;
  if (!hasSystemd) return 'Make the cgroup of the supervisor writable for it, or run it as root';
  const user = isRoot ? '' : '--user ';
  return `Start the supervisor in a delegated unit: systemd-run ${user}--scope -p Delegate=yes q-workflow supervisor start`;
}
