import type { ScopeLimits } from '../isolation.ts';
import { readControl, writeControl } from './control-file.ts';
import { distinct, makeFolders, removeTree } from './folders.ts';
import { ioLimitLine, wholeDisks } from './io-limit.ts';
import { openV2Meter } from './v2-meter.ts';
import { type CgroupVersion, CPU_PERIOD_US, cpuQuotaUs, oomScoreOf, type Role } from './version.ts';

/** Controllers that we use, in the order in which they are enabled. */
export const V2_CONTROLLERS = ['memory', 'cpu', 'pids', 'io'] as const;

/** cgroup v2: one tree. A cgroup with controllers for its children may hold no process itself. */
export const V2: CgroupVersion = {
  backend: 'cgroup-v2',
  endsWholeSteps: true,

  create(folders, limits, role) {
    makeFolders(folders);
    const folder = this.processFolder(folders);
    try {
      const disks = (limits.ioBytesPerSecond ?? null) === null ? [] : wholeDisks();
      for (const [name, value] of v2LimitFiles(limits, role, controllersIn(folder), disks)) {
        // Swap accounting may be missing (swapaccount=0): there is no file to write then.
        writeControl(`${folder}/${name}`, value);
      }
      const type = readControl(`${folder}/cgroup.type`)?.trim();
      if (type !== undefined && type !== 'domain') throw new Error(`${folder} is "${type}", not a domain`);
    } catch (error) {
      for (const made of distinct(folders)) removeTree(made);
      throw error;
    }
  },

  prepareParent(folders) {
    enableControllers(this.processFolder(folders));
  },

  join(folders, role) {
    return { tasks: [], unified: this.processFolder(folders), oomScore: oomScoreOf(role) };
  },

  openMeter: (folders) => openV2Meter(folders.unified ?? ''),

  processFolder(folders) {
    return folders.unified ?? '';
  },
};

/** File and value for each limit; nothing for controllers that are not there. */
export function v2LimitFiles(
  limits: ScopeLimits,
  role: Role,
  controllers: ReadonlySet<string>,
  disks: readonly string[],
): [file: string, value: string][] {
  const files: [string, string][] = [];
  if (controllers.has('memory')) {
    if (limits.memoryBytes !== null) {
      files.push(['memory.max', String(Math.floor(limits.memoryBytes))], ['memory.swap.max', '0']);
    }
    // A step is one unit to the OOM killer. An instance is not: its own process has to outlive a step that filled it.
    if (role === 'step') files.push(['memory.oom.group', '1']);
  }
  if (controllers.has('cpu') && limits.cpuPercent !== null) {
    files.push(['cpu.max', `${cpuQuotaUs(limits.cpuPercent)} ${CPU_PERIOD_US}`]);
  }
  if (controllers.has('pids') && limits.processes !== null)
    files.push(['pids.max', String(limits.processes)]);
  const rate = limits.ioBytesPerSecond ?? null;
  // The kernel takes one disk a write.
  if (controllers.has('io') && rate !== null)
    for (const disk of disks) files.push(['io.max', ioLimitLine(disk, rate)]);
  return files;
}

/**
 * Lets the children of a cgroup have our controllers: all in one write, because enabling `cpu` or `pids` alone in a
 * populated cgroup does not fail but makes it threaded for good. Throws EBUSY when processes are in it.
 */
export function enableControllers(folder: string): void {
  const enabled = new Set((readControl(`${folder}/cgroup.subtree_control`) ?? '').trim().split(' '));
  const wanted = V2_CONTROLLERS.filter((name) => controllersIn(folder).has(name) && !enabled.has(name));
  if (wanted.length === 0) return;
  writeControl(`${folder}/cgroup.subtree_control`, wanted.map((name) => `+${name}`).join(' '));
}

export function controllersIn(folder: string): Set<string> {
  return new Set((readControl(`${folder}/cgroup.controllers`) ?? '').trim().split(' '));
}
