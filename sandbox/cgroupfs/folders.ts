import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { isGone, readControl } from './control-file.ts';

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
  const pids = parsePids(readControl(`${folder}/cgroup.procs`) ?? '');
  for (const name of childNames(folder)) pids.push(...pidsBelow(`${folder}/${name}`));
  return pids;
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
