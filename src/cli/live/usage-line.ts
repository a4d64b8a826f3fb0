import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';
import { displayWidth } from '../text/display-width.ts';
import { sparkline } from '../text/sparkline.ts';
import { bytes, type Style } from '../text/style.ts';

export type Usage = Extract<ControlNotification, { method: 'instance.usage' }>['params'];

/** So many of the last looks are drawn. */
export const MAX_LOOKS = 12;

/** What an instance uses now, against its limits, in a line of this width; what does not fit is left out. */
export function usageLine(
  used: readonly Usage[],
  limits: StatusDocument['limits'],
  style: Style,
  width: number,
): string | null {
  const now = used.at(-1);
  if (now === undefined) return null;
  const maxMemory = limits.max_memory_mb * 1024 * 1024;
  const line = (values: readonly number[], top: number, looks: number): string =>
    looks === 0 ? '' : sparkline(values.slice(-looks), top, looks);
  const parts = (looks: number): readonly Part[] => [
    {
      name: 'memory',
      line: line(
        used.map(({ memory_bytes: each }) => each),
        maxMemory,
        looks,
      ),
      text: `${bytes(now.memory_bytes)} of ${limits.max_memory_mb} MB`,
      share: now.memory_bytes / maxMemory,
    },
    {
      name: 'cpu',
      line: line(
        used.map(({ cpu_percent: each }) => each),
        limits.max_cpu_percent,
        looks,
      ),
      text: `${now.cpu_percent} of ${limits.max_cpu_percent} %`,
      // At its limit a process is only slower.
      share: 0,
    },
    {
      name: 'processes',
      line: '',
      text: `${now.processes} of ${limits.max_processes}`,
      share: now.processes / limits.max_processes,
    },
  ];
  const chosen = [
    [...parts(MAX_LOOKS), ...ioPart(now)],
    parts(MAX_LOOKS),
    parts(MAX_LOOKS / 2),
    parts(0),
    parts(0).slice(0, 2),
    parts(0).slice(0, 1),
  ].find((each) => displayWidth(each.map(textOf).join(GAP)) + 2 <= width);
  return chosen === undefined ? null : `  ${chosen.map((part) => painted(part, style)).join(GAP)}`;
}

/** Nothing where nobody can tell, and from a supervisor of an older version. */
function ioPart({ io_read_bytes: read, io_written_bytes: written }: Usage): readonly Part[] {
  if (typeof read !== 'number' || typeof written !== 'number') return [];
  return [{ name: 'io', line: '', text: `${bytes(read)} r · ${bytes(written)} w`, share: 0 }];
}

const GAP = '   ';

interface Part {
  readonly name: string;
  readonly line: string;
  readonly text: string;
  /** Of the limit. */
  readonly share: number;
}

const NEAR_LIMIT = 0.9;

function textOf({ name, line, text }: Part): string {
  return [name, line, text].filter((each) => each !== '').join(' ');
}

function painted(part: Part, style: Style): string {
  return part.share >= NEAR_LIMIT ? style.yellow(textOf(part)) : style.dim(textOf(part));
}
