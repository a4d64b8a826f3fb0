import type { IsolationReport } from '../isolation.ts';
import { readControl, writeControl } from './control-file.ts';
import { removeEmptyPlace } from './folders.ts';
import { type CgroupMount, findMount, foldersUpward, parseMountinfo, parseOwnCgroups } from './mountinfo.ts';
import {
  CONTROLLER_LIMITS,
  homeFolder,
  type ProbeResult,
  problemLines,
  type Trial,
  tryPlace,
} from './probe.ts';
import { V1 } from './v1.ts';

/** Values that no machine has by itself, so that reading them back proves the write. */
const TRIALS: Readonly<Record<string, readonly Trial[]>> = {
  memory: [{ file: 'memory.limit_in_bytes', value: '67108864' }],
  cpu: [{ file: 'cpu.cfs_quota_us', value: '50000' }],
  cpuacct: [],
  pids: [{ file: 'pids.max', value: '31' }],
  freezer: [{ file: 'freezer.state', value: 'THAWED' }],
  unified: [{ file: 'cgroup.freeze', value: '0' }],
};

/**
 * Looks for cgroup v1, each controller by doing. Memory and pids are needed, and one of the cgroup2 tree or the v1
 * freezer to stop a tree as a whole; without `cpu` the rest is still worth having and the report says so.
 */
export function probeV1(key: string, tree: 'unified' | 'freezer' = 'unified'): ProbeResult {
  const mounts = parseMountinfo(readControl('/proc/self/mountinfo') ?? '');
  const own = parseOwnCgroups(readControl('/proc/self/cgroup') ?? '');
  const parents: Record<string, string> = {};
  const failures = new Map<string, string>();
  for (const controller of new Set(['memory', 'cpu', 'cpuacct', 'pids', tree, 'freezer'])) {
    // With the cgroup2 tree there is no use in a freezer: one hierarchy less to join.
    if (controller === 'freezer' && parents.unified !== undefined) continue;
    const name = controller === 'unified' ? '' : controller;
    const mount = findMount(mounts, name);
    const place =
      mount === undefined ? `it is not mounted` : findPlace(mount, own.get(name) ?? '/', key, controller);
    if (typeof place === 'string') failures.set(controller, place);
    else parents[controller] = place.parent;
  }
  const problems = problemLines(failures);
  // Kernels before 5.11 count a tree as one only where asked to; children take it over from their parent.
  if (readControl(`${parents.memory}/memory.use_hierarchy`)?.trim() === '0') {
    writeControl(`${parents.memory}/memory.use_hierarchy`, '1');
  }
  const lacking = ['memory', 'pids'].filter((name) => parents[name] === undefined);
  if (parents.unified === undefined && parents.freezer === undefined) lacking.push('freezer');
  if (lacking.length > 0) {
    for (const parent of Object.values(parents)) removeEmptyPlace(parent);
    return { ground: null, problem: problems.join(' ') };
  }
  const others = Object.keys(parents).flatMap((controller) => {
    const name = controller === 'unified' ? '' : controller;
    const mount = findMount(mounts, name);
    if (mount === undefined) return [];
    return foldersUpward(mount, own.get(name) ?? '/')
      .map((folder) => homeFolder(folder, key))
      .filter((folder) => folder !== parents[controller])
      .map((folder) => ({ [controller]: folder }));
  });
  return { ground: { version: V1, parents, others, report: reportOf(parents, problems) } };
}

/** The own cgroup of this process, else the top of the hierarchy. */
function findPlace(
  mount: CgroupMount,
  ownPath: string,
  key: string,
  controller: string,
): { parent: string } | string {
  let problem = 'no folder to try';
  for (const folder of new Set([foldersUpward(mount, ownPath)[0] ?? mount.mountPoint, mount.mountPoint])) {
    const parent = homeFolder(folder, key);
    const answer = tryPlace(parent, TRIALS[controller] ?? []);
    if (answer === null) return { parent };
    removeEmptyPlace(parent);
    problem = answer;
  }
  return problem;
}

function reportOf(parents: Readonly<Record<string, string>>, problems: readonly string[]): IsolationReport {
  const missing = [...problems];
  if (parents.unified === undefined)
    missing.push('No cgroup2 tree: kills go by freezer, and ends are seen by polling.');
  const enforced = CONTROLLER_LIMITS.filter(([controller]) => parents[controller] !== undefined).map(
    ([, limit]) => limit,
  );
  return { backend: 'cgroup-v1', enforced, observed: ['time', 'disk'], missing };
}
