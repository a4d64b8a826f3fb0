import { existsSync } from 'node:fs';
import { BOOT_V2, type CgroupMachine, cgroupAdvice, cgroupMachine } from './cgroup-advice.ts';
import type { IsolationReport, LimitName } from './isolation.ts';
import type { Layer, Layers } from './layers.ts';

/** A line of `q workflow doctor`. */
export interface DoctorRow {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; empty when it is well. */
  readonly fix: string;
}

const LIMITS: Readonly<Record<LimitName, string>> = {
  memory: 'memory limit',
  cpu: 'CPU limit',
  processes: 'process limit',
  io: 'IO limit',
  time: 'time limit',
  disk: 'disk limit',
};
/** A clock and a disk walk are ours by nature: no kernel limit stands behind them in any backend. */
const ALWAYS_OBSERVED: readonly LimitName[] = ['time', 'disk'];

/** What holds which limit here: the backend, then each limit. */
export function describeIsolation(
  report: IsolationReport,
  uid: number | undefined = process.getuid?.(),
  machine: CgroupMachine = cgroupMachine(uid),
): DoctorRow[] {
  const advice = cgroupAdvice(report.missing, machine);
  const limits = Object.keys(LIMITS).map((name) => limitRow(report, name as LimitName, uid, advice));
  return [backendRow(report, advice), ...limits];
}

/** Why a limit on IO cannot be held here, in a few words; null where the kernel holds it. */
export function ioLimitProblem({ backend, enforced }: IsolationReport): string | null {
  if (enforced.includes('io')) return null;
  return backend === 'cgroup-v2'
    ? 'cgroup v2 has no controller io here that holds limits'
    : `only cgroup v2 holds it, and this is ${backend}`;
}

function backendRow(report: IsolationReport, advice: string): DoctorRow {
  const ok = report.backend !== 'polling';
  const detail = [report.backend, ...report.missing.map((line) => line.replace(/\.$/, ''))].join('; ');
  return { name: 'isolation backend', ok, detail, fix: ok ? '' : advice };
}

function limitRow(
  report: IsolationReport,
  limit: LimitName,
  uid: number | undefined,
  advice: string,
): DoctorRow {
  const name = LIMITS[limit];
  if (report.enforced.includes(limit))
    return { name, ok: true, detail: `enforced by ${report.backend}`, fix: '' };
  if (limit === 'io')
    return {
      name,
      ok: false,
      detail: `not held: ${ioLimitProblem(report)}`,
      fix: ioFix(report, uid, advice),
    };
  if (!report.observed.includes(limit)) {
    return { name, ok: false, detail: `not held by ${report.backend} here`, fix: advice };
  }
  if (ALWAYS_OBSERVED.includes(limit))
    return { name, ok: true, detail: 'observed by the supervisor', fix: '' };
  return { name, ok: false, detail: 'observed by polling, acted on late', fix: advice };
}

function ioFix({ backend }: IsolationReport, uid: number | undefined, advice: string): string {
  if (backend === 'cgroup-v1') return BOOT_V2;
  if (backend === 'polling') return advice;
  if (uid === 0)
    return 'Start the supervisor in a unit with Delegate=yes, on a kernel with CONFIG_BLK_DEV_THROTTLING';
  // systemd itself delegates no more than pids, memory and cpu to its users (user@.service).
  return `Write "[Service]" and "Delegate=cpu memory pids io" into /etc/systemd/system/user@.service.d/delegate.conf, then: systemctl daemon-reload && systemctl restart user@${uid ?? 'UID'}`;
}

/** A row for each layer of a step's sandbox, and one that says whom steps of root's workspaces run as. */
export function describeLayers(layers: Layers, uid: number | undefined = process.getuid?.()): DoctorRow[] {
  const rows = [layers.setpriv, layers.bubblewrap, layers.seccomp].map(layerRow);
  if (uid !== 0) return rows;
  return [
    ...rows,
    {
      name: 'user of steps',
      ok: false,
      detail:
        'steps of workspaces that root owns run as uid 0, without capabilities; what only root may read in /etc and write in /proc is masked',
      fix: 'give the workspace to a user of its own: its steps then run as that user',
    },
  ];
}

/**
 * Whether the runs of a user outlast the logout: without lingering a user's systemd ends then, and everything with it.
 * Null where that is no question: no systemd, or root. See loginctl(1).
 */
export function describeLingering(
  user: string,
  uid: number | undefined = process.getuid?.(),
  exists: (path: string) => boolean = existsSync,
): DoctorRow | null {
  if (uid === 0 || !exists('/run/systemd/system')) return null;
  if (exists(`/var/lib/systemd/linger/${user}`))
    return { name: 'lingering', ok: true, detail: `runs of ${user} outlast the logout`, fix: '' };
  return {
    name: 'lingering',
    ok: false,
    detail: `systemd ends everything of ${user} at the last logout, runs too`,
    fix: `loginctl enable-linger ${user}`,
  };
}

function layerRow({ name, path, version, note, fix }: Layer): DoctorRow {
  if (path === null) return { name, ok: false, detail: note, fix };
  const detail = version === '' ? `loaded by ${path}` : `${path}, version ${version}`;
  return { name, ok: true, detail, fix: '' };
}
