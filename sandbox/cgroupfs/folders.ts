import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { systemCode } from '../../src/errors/workflow-error.ts';
import { identify } from '../process-identity.ts';
import { isGone, isUnsupported, readControl } from './control-file.ts';

/** Folders of one scope by controller; co-mounted controllers share one. */
export type Folders = Readonly<Record<string, string>>;

/** The same scope one level down. */
export function below(folders: Folders, name: string): Folders {
  return Object.fromEntries(
    Object.entries(folders).map(([controller, folder]) => [controller, `${folder}/${name}`]),
  );
}

export function distinct(folders: Folders): string[] {
  return [...new Set(Object.values(folders))];
}

/** Makes every folder; on a failure removes those it had made and throws the system error. */
export function makeFolders(folders: Folders): void {
  const made: string[] = [];
  try {
    for (const folder of distinct(folders)) {
      mkdirSync(folder);
      made.push(folder);
    }
  } catch (error) {
    for (const folder of made) rmdirSync(folder);
    throw error;
  }
}

/** Names of the cgroups right below `folder`; none when it is gone. */
export function childNames(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (!isGone(error)) throw error;
    return [];
  }
}

/** Pids in a cgroup and all below it. The kernel leaves zombies out. */
export function pidsBelow(folder: string): number[] {
  // Of a threaded cgroup by itself only threads are listed; a signal to one is a signal to its process.
  return processesBelow(folder) ?? parsePids(readControl(`${folder}/cgroup.threads`) ?? '');
}

/** Null for a threaded cgroup: the domain above it lists its processes as its own. */
function processesBelow(folder: string): number[] | null {
  const pids = ownProcesses(folder);
  if (pids === null) return null;
  for (const name of childNames(folder)) pids.push(...(processesBelow(`${folder}/${name}`) ?? []));
  return pids;
}

function ownProcesses(folder: string): number[] | null {
  try {
    return parsePids(readControl(`${folder}/cgroup.procs`) ?? '');
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return null;
  }
}

/** A pid outside our pid namespace reads 0, and signalling 0 would hit our own group: only numbers above 1 count. */
export function parsePids(text: string): number[] {
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 1);
}

/** Removes a cgroup and all below it, deepest first. What is gone is fine; throws EBUSY when processes are left. */
export function removeTree(folder: string): void {
  for (const name of childNames(folder)) removeTree(`${folder}/${name}`);
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The same without holding up the event loop: removing a cgroup takes the kernel 0.1 to 1 ms. */
export async function removeTreeLater(folder: string): Promise<void> {
  for (const name of childNames(folder)) await removeTreeLater(`${folder}/${name}`);
  try {
    await rmdir(folder);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

const PROBE = /^\.probe-(\d+)$/;

/** The cgroup that this process tries things in. */
export function probeFolder(parent: string): string {
  return `${parent}/.probe-${process.pid}`;
}

/** Removes what probes left that were killed in the middle; no process was ever in one. */
export function removeLeftProbes(parent: string): void {
  for (const name of childNames(parent)) {
    const pid = PROBE.exec(name)?.[1];
    if (pid !== undefined && identify(Number(pid)) === null) removeTree(`${parent}/${name}`);
  }
}

/** Removes `…/q-workflow/<key>` and then `…/q-workflow`, as far as they are empty and ours to remove. */
export function removeEmptyPlace(folder: string): void {
  for (const path of [folder, folder.slice(0, folder.lastIndexOf('/'))]) {
    try {
      rmdirSync(path);
    } catch (error) {
      // EBUSY, ENOTEMPTY: a scope, or another home, is in it. The others: not ours to write.
      if (isGone(error) || ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) continue;
      if (systemCode(error) !== 'EBUSY' && systemCode(error) !== 'ENOTEMPTY') throw error;
    }
  }
}
