import { systemCode } from '../../src/errors/workflow-error.ts';
import type { ScopeLimits } from '../isolation.ts';
import { isUnsupported, writeControl } from './control-file.ts';
import { distinct, type Folders, makeFolders, removeTree } from './folders.ts';
import { openV1Meter, v1ProcessFolder } from './v1-meter.ts';
import { type CgroupVersion, CPU_PERIOD_US, cpuQuotaUs, oomScoreOf } from './version.ts';

/**
 * cgroup v1: one hierarchy a controller, and where a cgroup2 tree is mounted beside them ("hybrid"), the same scope
 * there too, for `cgroup.events`, `cgroup.freeze` and `cgroup.kill`.
 */
export const V1: CgroupVersion = {
  backend: 'cgroup-v1',
  endsWholeSteps: false,

  create(folders, limits, role) {
    makeFolders(folders);
    try {
      if (folders.unified !== undefined && role !== 'instance') makeThreaded(folders.unified);
      limit(folders, limits);
    } catch (error) {
      for (const folder of distinct(folders)) removeTree(folder);
      throw error;
    }
  },

  prepareParent() {
    // v1 allows processes beside children: nothing to do.
  },

  join(folders, role) {
    const { unified, ...hierarchies } = folders;
    return {
      tasks: distinct(hierarchies).map((folder) => `${folder}/tasks`),
      unified: unified ?? null,
      oomScore: oomScoreOf(role),
    };
  },

  openMeter: openV1Meter,

  processFolder: v1ProcessFolder,
};

/**
 * Makes a leaf of the cgroup2 tree threaded: a shim that the instance starts then joins it by `cgroup.threads`, which
 * is 12 ms faster than `cgroup.procs`. The price: `cgroup.kill` and `cgroup.procs` do not work in it (they do in
 * the instance's folder above), so a step is killed by freeze, SIGKILL to each, thaw. Only possible without controllers.
 */
function makeThreaded(folder: string): void {
  try {
    writeControl(`${folder}/cgroup.type`, 'threaded');
  } catch (error) {
    if (!isUnsupported(error) && systemCode(error) !== 'EINVAL') throw error;
  }
}

function limit(folders: Folders, limits: ScopeLimits): void {
  const { memory, cpu, pids } = folders;
  if (limits.memoryBytes !== null && memory !== undefined) limitMemory(memory, limits.memoryBytes);
  if (limits.cpuPercent !== null && cpu !== undefined) limitCpu(cpu, limits.cpuPercent);
  if (limits.processes !== null && pids !== undefined) {
    writeControl(`${pids}/pids.max`, String(limits.processes));
  }
}

function limitMemory(folder: string, bytes: number): void {
  const value = String(Math.floor(bytes));
  // Memory before memory + swap: the sum may never be below the first (EINVAL).
  writeControl(`${folder}/memory.limit_in_bytes`, value);
  // Kernels without swap accounting lack the file: then at least do not swap by choice.
  if (writeControl(`${folder}/memory.memsw.limit_in_bytes`, value)) return;
  writeControl(`${folder}/memory.swappiness`, '0');
}

function limitCpu(folder: string, percent: number): void {
  writeControl(`${folder}/cpu.cfs_period_us`, String(CPU_PERIOD_US));
  try {
    writeControl(`${folder}/cpu.cfs_quota_us`, String(cpuQuotaUs(percent)));
  } catch (error) {
    // EINVAL: more than the parent has. The parent's limit is the smaller one and holds for the child too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
  }
}
