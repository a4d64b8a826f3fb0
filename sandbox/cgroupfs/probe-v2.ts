import { mkdirSync } from 'node:fs';
import { ensureError, systemCode } from '../../src/errors/workflow-error.ts';
import { isScopeUnitOf, scopeSlice } from '../systemd/units.ts';
import { isGone, readControl, writeControl } from './control-file.ts';
import { childNames, parsePids, removeEmptyPlace } from './folders.ts';
import { ioLimitLine, wholeDisks } from './io-limit.ts';
import { type CgroupMount, findMount, foldersUpward, parseMountinfo, parseOwnCgroups } from './mountinfo.ts';
import { CONTROLLER_LIMITS, homeFolder, type ProbeResult, type Trial, tryPlace } from './probe.ts';
import { controllersIn, enableControllers, V2 } from './v2.ts';

const TRIALS: readonly Trial[] = [
  { file: 'memory.max', value: '67108864' },
  { file: 'pids.max', value: '31' },
];
/** What the trial of an IO limit writes. */
const IO_TRIAL_RATE = 1024 * 1024;
/** Rounds of moving processes out of the own cgroup: each may have forked while we moved it. */
const MOVE_ROUNDS = 20;

/**
 * Looks for a cgroup v2 tree that is delegated to us: the own cgroup, or `scope`, the folder of one that systemd made
 * for us, writable, with memory and pids. A hybrid machine has a cgroup2 tree too, but without controllers: the mount
 * alone says nothing.
 */
export function probeV2(key: string, scope?: string): ProbeResult {
  const mount = findMount(parseMountinfo(readControl('/proc/self/mountinfo') ?? ''), '');
  if (mount === undefined) return failed('not mounted');
  const own = parseOwnCgroups(readControl('/proc/self/cgroup') ?? '').get('') ?? '/';
  const upward = foldersUpward(mount, own);
  const folder = scope ?? upward[0] ?? mount.mountPoint;
  const controllers = controllersIn(folder);
  const lacking = ['memory', 'pids'].filter((name) => !controllers.has(name));
  if (lacking.length > 0) return failed(`no controller ${lacking.join(', ')} in ${folder}`);

  const parent = homeFolder(folder, key);
  const problem = prepare(folder, parent) ?? tryPlace(parent, TRIALS);
  if (problem !== null) {
    removeEmptyPlace(parent);
    return failed(problem);
  }
  const held = CONTROLLER_LIMITS.filter(([name]) => controllers.has(name)).map(([, limit]) => limit);
  if (controllers.has('io') && holdsIo(parent)) held.push('io');
  const missing = controllers.has('cpu') ? [] : ['cgroup v2 has no cpu controller here: CPU is not limited.'];
  return {
    ground: {
      version: V2,
      parents: { unified: parent },
      others: [...upward, ...scopesOfStarts(mount, key)]
        .filter((place) => place !== folder)
        .map((place) => ({ unified: homeFolder(place, key) })),
      report: { backend: 'cgroup-v2', enforced: held, observed: ['time', 'disk'], missing },
    },
  };
}

/** Whether every disk takes a limit: a kernel may have `io` without CONFIG_BLK_DEV_THROTTLING, or a machine no disk. */
function holdsIo(parent: string): boolean {
  const trials = wholeDisks().map((disk) => ({ file: 'io.max', value: ioLimitLine(disk, IO_TRIAL_RATE) }));
  return trials.length > 0 && tryPlace(parent, trials) === null;
}

/** Scopes of systemd that supervisors of this home made, while they last. */
function scopesOfStarts(mount: CgroupMount, key: string): string[] {
  const place = `${mount.mountPoint}${scopeSlice(process.getuid?.() ?? 0).path}`;
  return childNames(place)
    .filter((name) => isScopeUnitOf(key, name))
    .map((name) => `${place}/${name}`);
}

/**
 * Brings the controllers down to our folder. The own cgroup has to be empty for that ("no internal processes",
 * cgroup-v2.rst 2-4-3), so all of its processes, not only ours, move to a leaf first; back again when it fails.
 */
function prepare(folder: string, parent: string): string | null {
  const top = `${folder}/q-workflow`;
  const leaf = `${top}/leaf`;
  const moved: number[] = [];
  try {
    mkdirSync(parent, { recursive: true });
    if (!hasAll(folder)) {
      // Only the root of the tree lacks cgroup.type, and only there processes may stay.
      if (readControl(`${folder}/cgroup.type`) !== null) moveAll(folder, leaf, moved);
      enableControllers(folder);
    }
    enableControllers(top);
    enableControllers(parent);
    const type = readControl(`${parent}/cgroup.type`)?.trim();
    return type === 'domain' ? null : `${parent} is "${type}"`;
  } catch (error) {
    for (const pid of moved) movePid(pid, folder);
    return ensureError(error).message;
  }
}

function hasAll(folder: string): boolean {
  const enabled = (readControl(`${folder}/cgroup.subtree_control`) ?? '').trim().split(' ');
  return ['memory', 'pids'].every((name) => enabled.includes(name));
}

function moveAll(folder: string, leaf: string, moved: number[]): void {
  mkdirSync(leaf, { recursive: true });
  for (let round = 0; round < MOVE_ROUNDS; round += 1) {
    const pids = parsePids(readControl(`${folder}/cgroup.procs`) ?? '');
    if (pids.length === 0) return;
    for (const pid of pids) if (movePid(pid, leaf)) moved.push(pid);
  }
  throw new Error(`${folder} is never empty of processes`);
}

function movePid(pid: number, folder: string): boolean {
  try {
    return writeControl(`${folder}/cgroup.procs`, String(pid));
  } catch (error) {
    // It ended, or it is a kernel thread.
    if (!isGone(error) && systemCode(error) !== 'EINVAL') throw error;
    return false;
  }
}

function failed(problem: string): ProbeResult {
  return { ground: null, problem: `cgroup v2: ${problem}.` };
}
