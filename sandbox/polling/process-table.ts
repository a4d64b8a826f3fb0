import { readdirSync, readFileSync } from 'node:fs';
import { MARKER } from '../shim.ts';

/** One live process as /proc/PID/stat shows it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot: with the pid it names the process for good. */
  readonly startTime: string;
}

/** All processes but zombies; none where there is no /proc. */
export function readProcesses(): ProcessRow[] {
  const names = readOrNull(() => readdirSync('/proc')) ?? [];
  const rows: ProcessRow[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOrNull(() => readFileSync(`/proc/${name}/stat`, 'latin1'));
    const row = stat === null ? null : parseStat(stat);
    if (row !== null) rows.push(row);
  }
  return rows;
}

/** A row from the text of /proc/PID/stat, null for a zombie. The command name may hold blanks and brackets. */
export function parseStat(text: string): ProcessRow | null {
  const end = text.lastIndexOf(')');
  const [state, parent, group, session, ...rest] = text.slice(end + 2).split(' ');
  if (end < 0 || state === 'Z' || state === 'X') return null;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime: rest[15] ?? '',
  };
}

/** Value of our marker in the environment a process was started with; null when it has none or is not ours to read. */
export function markerOf(pid: number): string | null {
  const text = readOrNull(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  return text === null ? null : parseMarker(text);
}

export function parseMarker(environ: string): string | null {
  const entry = environ.split('\0').find((part) => part.startsWith(`${MARKER}=`));
  return entry === undefined ? null : entry.slice(MARKER.length + 1);
}

/** True for the marker itself and those of child scopes. */
export function isWithin(marker: string, scope: string): boolean {
  return marker === scope || marker.startsWith(`${scope}/`);
}

function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // Gone meanwhile, another user's, or no /proc at all.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].includes(code)) return null;
    throw error;
  }
}
