import type { ControlNotification, StatusDocument } from '../../protocol/control.ts';
import { displayWidth } from '../display-width.ts';
import { sparkline } from '../sparkline.ts';
import { bytes, type Style } from '../style.ts';

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
  const memory: Part = {
    name: 'memory',
    line: sparkline(
      used.map(({ memory_bytes: each }) => each),
      maxMemory,
      MAX_LOOKS,
    ),
    text: `${bytes(now.memory_bytes)} of ${limits.max_memory_mb} MB`,
    share: now.memory_bytes / maxMemory,
  };
  const cpu: Part = {
    name: 'cpu',
    line: sparkline(
      used.map(({ cpu_percent: each }) => each),
      limits.max_cpu_percent,
      MAX_LOOKS,
    ),
    text: `${now.cpu_percent} of ${limits.max_cpu_percent} %`,
    // At its limit a process is only slower.
    share: 0,
  };
  const processes: Part = {
    name: 'processes',
    line: '',
    text: `${now.processes} of ${limits.max_processes}`,
    share: now.processes / limits.max_processes,
  };
  const bare = (part: Part): Part => ({ ...part, line: '' });
  const chosen = [
    [memory, cpu, processes],
    [memory, cpu],
    [bare(memory), bare(cpu), bare(processes)],
    [bare(memory), bare(cpu)],
    [bare(memory)],
  ].find((parts) => displayWidth(parts.map(textOf).join('   ')) + 2 <= width);
  return chosen === undefined ? null : `  ${chosen.map((part) => painted(part, style)).join('   ')}`;
}

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
