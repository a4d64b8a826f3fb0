import type { Isolation, IsolationReport, LimitName } from './isolation.ts';
import { type Layers, missingLayersMessage } from './layers.ts';

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
  time: 'time limit',
  disk: 'disk limit',
};
/** A clock and a disk walk are ours by nature: no kernel limit stands behind them in any backend. */
const ALWAYS_OBSERVED: readonly LimitName[] = ['time', 'disk'];
const DELEGATE =
  'Start the supervisor in a delegated unit: systemd-run --user --scope -p Delegate=yes q-workflow supervisor start';

/** What holds which limit here: the backend, each limit, and the layers when they were probed. */
export function describeIsolation(isolation: Isolation, layers?: Layers): DoctorRow[] {
  const { report } = isolation;
  const rows = [
    backendRow(report),
    ...Object.keys(LIMITS).map((name) => limitRow(report, name as LimitName)),
  ];
  if (layers !== undefined) rows.push(layerRow(layers));
  return rows;
}

function backendRow(report: IsolationReport): DoctorRow {
  const ok = report.backend !== 'polling';
  const detail = [report.backend, ...report.missing].join('; ');
  return { name: 'isolation backend', ok, detail, fix: ok ? '' : DELEGATE };
}

function limitRow(report: IsolationReport, limit: LimitName): DoctorRow {
  const name = LIMITS[limit];
  if (report.enforced.includes(limit))
    return { name, ok: true, detail: `enforced by ${report.backend}`, fix: '' };
  if (!report.observed.includes(limit)) {
    return { name, ok: false, detail: `not held by ${report.backend} here`, fix: DELEGATE };
  }
  if (ALWAYS_OBSERVED.includes(limit))
    return { name, ok: true, detail: 'observed by the supervisor', fix: '' };
  return { name, ok: false, detail: 'observed by polling, acted on late', fix: DELEGATE };
}

function layerRow(layers: Layers): DoctorRow {
  const { bubblewrap } = layers;
  if (bubblewrap !== null) {
    return {
      name: 'bubblewrap',
      ok: true,
      detail: `${bubblewrap.path}, version ${bubblewrap.version}`,
      fix: '',
    };
  }
  return { name: 'bubblewrap', ok: false, detail: layers.note, fix: missingLayersMessage(layers) ?? '' };
}
