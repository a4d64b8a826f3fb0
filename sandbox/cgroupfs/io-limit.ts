import { readdirSync } from 'node:fs';
import { isGone, readControl, writeControl } from './control-file.ts';

/** Disks in memory: what is in them is limited as memory. */
const MEMORY_DISK = /^z?ram\d+$/;

/**
 * The disks of this machine as `major:minor`: all that the kernel takes a limit for. Partitions are refused (ENODEV);
 * their disk's limit holds for them. Empty ones, such as unused loop devices, are left out.
 */
export function wholeDisks(root = '/sys/block'): string[] {
  const disks: string[] = [];
  for (const name of namesIn(root)) {
    if (MEMORY_DISK.test(name)) continue;
    const size = Number.parseInt(readControl(`${root}/${name}/size`) ?? '', 10);
    const device = readControl(`${root}/${name}/dev`)?.trim();
    if (size > 0 && device !== undefined) disks.push(device);
  }
  return disks;
}

/** What is written to `io.max` to hold one disk, and how the kernel begins its line of it. */
export function ioLimitLine(disk: string, bytesPerSecond: number): string {
  const rate = Math.max(1, Math.floor(bytesPerSecond));
  return `${disk} rbps=${rate} wbps=${rate}`;
}

/**
 * Takes the IO limit off a cgroup that is being ended: a process that waits for a limited write can't be killed before
 * the write is through, and 100 MB at 1 MB/s are 100 s.
 */
export function liftIoLimit(folder: string): void {
  for (const line of (readControl(`${folder}/io.max`) ?? '').split('\n')) {
    const [disk] = line.split(' ');
    if (disk !== undefined && disk !== '') writeControl(`${folder}/io.max`, `${disk} rbps=max wbps=max`);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (!isGone(error)) throw error;
    return [];
  }
}
