import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readControl } from './cgroupfs/control-file.ts';
import { CgroupIsolation } from './cgroupfs/isolation.ts';
import { type CgroupMount, findMount, parseMountinfo } from './cgroupfs/mountinfo.ts';
import type { ProbeResult } from './cgroupfs/probe.ts';
import { probeV1 } from './cgroupfs/probe-v1.ts';
import { probeV2 } from './cgroupfs/probe-v2.ts';
import { controllersIn } from './cgroupfs/v2.ts';
import { chooseAmong, chooseIsolation, homeKey, type IsolationOptions } from './choose.ts';
import type { Isolation } from './isolation.ts';
import { ownCgroup, ScopeKeeper } from './systemd/keeper.ts';
import { ownCgroupProblem } from './systemd/own-cgroup.ts';

/** A scope that somebody keeps stopping is made anew no more often than this. */
const RENEW_MS = 10_000;

/**
 * The isolation of a supervisor. As `chooseIsolation`, but where systemd has cgroup v2 in its hands the instances go
 * into a delegated scope of their own, never below the supervisor's unit, so that they outlive its restart and stop.
 * Without such a scope: the own cgroup where that is a delegated scope, then v1, then polling, with the reason in
 * `missing`. Takes a call of systemd-run (at most 10 s) under systemd, nothing elsewhere.
 */
export async function openIsolation(options: IsolationOptions): Promise<Isolation> {
  const mount = options.requested === 'polling' ? null : systemdMount();
  if (mount === null) return chooseIsolation(options);
  const key = homeKey(options.home);
  const uid = process.getuid?.() ?? 0;
  const keeper = new ScopeKeeper(key, mount, uid);
  const claimed = await claimGround(keeper, key);
  if (claimed.ground !== null) {
    const isolation = new CgroupIsolation(claimed.ground, key, keeper);
    void renew(isolation, keeper, key);
    return isolation;
  }
  keeper.close();
  const problem = await ownCgroupProblem(ownCgroup(), uid);
  const own = (): ProbeResult =>
    problem === null ? noting(claimed.problem, probeV2(key)) : refusal(`${claimed.problem} And ${problem}.`);
  return chooseAmong(options, [own, probeV1]);
}

/** The v2 tree with the controllers that we need, when systemd has it; a hybrid machine has its controllers elsewhere. */
function systemdMount(): CgroupMount | null {
  if (process.platform !== 'linux' || !existsSync('/run/systemd/system')) return null;
  const mount = findMount(parseMountinfo(readControl('/proc/self/mountinfo') ?? ''), '');
  if (mount === undefined) return null;
  const controllers = controllersIn(mount.mountPoint);
  return controllers.has('memory') && controllers.has('pids') ? mount : null;
}

async function claimGround(keeper: ScopeKeeper, key: string): Promise<ProbeResult> {
  const claim = await keeper.claim();
  if ('problem' in claim) return refusal(`cgroup v2: no scope of systemd: ${claim.problem}.`);
  return probeV2(key, claim.folder);
}

/** New instances go into a new scope when the current one was stopped under us; those in it have ended with it. */
async function renew(isolation: CgroupIsolation, keeper: ScopeKeeper, key: string): Promise<never> {
  for (;;) {
    const lastsFrom = performance.now();
    await keeper.lost();
    await delay(Math.max(0, RENEW_MS - (performance.now() - lastsFrom)), undefined, { ref: false });
    const claimed = await claimGround(keeper, key);
    if (claimed.ground !== null) isolation.moveTo(claimed.ground);
  }
}

function refusal(problem: string): ProbeResult {
  return { ground: null, problem };
}

function noting(problem: string, result: ProbeResult): ProbeResult {
  if (result.ground === null) return refusal(`${problem} ${result.problem}`);
  const { report } = result.ground;
  return { ground: { ...result.ground, report: { ...report, missing: [...report.missing, problem] } } };
}
