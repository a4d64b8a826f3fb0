/** How far something says that it is. */
export interface Progress {
  /** 0 to 100. */
  readonly percent: number;
  /** What else the line says. */
  readonly text: string;
}

/**
 * The progress that a line of output reports, or null. It has to begin with it, or draw a bar beside it: a percentage
 * anywhere may be of something else (`disk 81 % full`).
 */
export function progressOf(line: string): Progress | null {
  const percent = PERCENT.exec(line) ?? BAR.exec(line);
  if (percent !== null) return reported(line, percent[0], Number(percent[1]));
  const count = COUNT.exec(line);
  if (count === null) return null;
  const [whole, done, all] = count;
  return Number(all) === 0 ? null : reported(line, whole, (100 * Number(done)) / Number(all));
}

/** `45 % compiling`, `progress: 45%`, `[ 45%] Building`. */
const PERCENT = /^\s*(?:progress\b\W{0,3})?[[(]?\s*(\d{1,3}(?:\.\d+)?)\s?%[\])]?(?=[\s|:,]|$)/i;
/** `name  45%[====>   ]`, `loading:  45%|████    |`. */
const BAR = /(?:^|[\s:])(\d{1,3}(?:\.\d+)?)\s?%\s?[[|].*$/;
/** `[3/10] Linking`, `(3/10)`. */
const COUNT = /^\s*[[(]\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*[\])]/;

function reported(line: string, said: string, percent: number): Progress | null {
  if (!(percent <= 100)) return null;
  return { percent, text: line.replace(said, ' ').trim() };
}

/** `████░░░░░░  45 %` */
export function progressBar(percent: number, columns: number): string {
  const full = Math.floor((percent * columns) / 100);
  return `${'█'.repeat(full)}${'░'.repeat(columns - full)} ${String(Math.floor(percent)).padStart(3)} %`;
}
