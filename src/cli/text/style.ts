/** Colours and marks for people; plain text where there is no terminal or NO_COLOR is set. */

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
  /** A colour by the text itself, the same in every run: names can be told apart at a glance. */
  readonly named: (text: string) => string;
}

const plain = (text: string): string => text;
export const PLAIN: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
  named: plain,
};

const sgr =
  (code: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${code}m${text}\u001b[0m`;
/** Neither red nor yellow: those say that something is wrong. */
const NAME_COLOURS = [36, 32, 35, 34, 96, 92, 95, 94];

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  // The low bits of FNV hardly differ for short names.
  return hash ^ (hash >>> 15);
}

export const COLOURED: Style = {
  bold: sgr(1),
  dim: sgr(2),
  red: sgr(31),
  green: sgr(32),
  yellow: sgr(33),
  cyan: sgr(36),
  named: (text) => sgr(NAME_COLOURS[hashOf(text) % NAME_COLOURS.length] ?? 36)(text),
};

export function styleFor(stream: NodeJS.WriteStream): Style {
  const isOff = !stream.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return isOff ? PLAIN : COLOURED;
}

/** The mark of a status, one column wide. */
export function mark(status: string, style: Style): string {
  switch (status) {
    case 'completed':
    case 'approved':
      return style.green('✓');
    case 'handled':
      return style.green('◆');
    case 'failed':
    case 'denied':
    case 'expired':
    case 'killed':
    case 'timed_out':
    case 'rollback_failed':
      return style.red('✗');
    case 'rolled_back':
      return style.yellow('↺');
    case 'running':
    case 'initializing':
      return style.cyan('▸');
    case 'waiting':
    case 'queued':
    case 'paused':
      return style.yellow('…');
    case 'skipped':
      return style.dim('○');
    case 'cancelled':
    case 'stopped':
    case 'stopping':
      return style.yellow('■');
    default:
      return style.dim('·');
  }
}

/** 1 error, 2 errors. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** 850 ms, 2.4 s, 3 min 05 s, 2 h 10 min. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** just now, 5 min ago, 3 h ago, else the date; also of what is yet to come, as by a clock that was ahead. */
export function ago(iso: string | null, now: number): string {
  if (iso === null) return '–';
  const ms = now - Date.parse(iso);
  if (ms < -60_000) return iso.slice(0, 10);
  if (ms < 5000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return iso.slice(0, 10);
}

/** The exact moment on the clock of this machine, with its offset: 2026-03-01 14:05:09 +01:00. */
export function localTime(iso: string | null): string {
  if (iso === null) return '–';
  const at = new Date(iso);
  const two = (count: number): string => String(count).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')} ${zone}`;
}

/** 812 kB, 64 MB, 1.5 GB (powers of 1024, as limits are). */
export function bytes(count: number): string {
  if (count < 1024 * 1024) return `${Math.round(count / 1024)} kB`;
  if (count < 1024 * 1024 * 1024) return `${Math.round(count / 1024 / 1024)} MB`;
  return `${(count / 1024 / 1024 / 1024).toFixed(1)} GB`;
}

const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/**
 * Text of a step or file as one printable line: escapes and control characters of others never reach the terminal,
 * also neither bidirectional overrides nor what nobody would see.
 */
export function printable(text: string): string {
  // Logs are long, and most lines have nothing of the kind.
  if (!UNPRINTABLE.test(text)) return text;
  return text
    .replace(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, '')
    .replace(/[\t\n\v\f\r]+/g, ' ')
    .replace(ALL_UNPRINTABLE, '');
}
