import type { Argument, Assignment } from '../reading.ts';

/** Something that a program runs: words of a command, or text for a shell. */
export type Run = WordsRun | TextRun;

interface Place {
  /** How it comes to run: `sudo`, `find -exec`. */
  readonly via: string;
  /** The directory it runs in; absent: where its wrapper does. Null: not known, or another machine or root. */
  readonly directory?: Argument;
}

export interface WordsRun extends Place {
  readonly words: readonly Argument[];
  readonly assignments?: readonly Assignment[];
}

export interface TextRun extends Place {
  /** Null: known only at run time. */
  readonly text: Argument;
  readonly dialect: 'bash' | 'sh';
  /** Runs at another time than where it stands (`trap`). */
  readonly isFloating?: boolean;
}

/** What the arguments of one program say about further programs. */
export interface Unwrapped {
  readonly runs: readonly Run[];
  readonly problems: readonly string[];
  readonly hazards: readonly string[];
  readonly runsCode: boolean;
  /** Variables of the shell that get a value known only at run time. */
  readonly sets: readonly string[];
}

export type Unwrap = (args: readonly Argument[], name: string) => Unwrapped;

export const NOTHING: Unwrapped = { runs: [], problems: [], hazards: [], runsCode: false, sets: [] };
export const CODE: Unwrapped = { ...NOTHING, runsCode: true };

export function runs(...list: Run[]): Unwrapped {
  return { ...NOTHING, runs: list };
}

export function problem(message: string): Unwrapped {
  return { ...NOTHING, problems: [message] };
}

export function hazard(message: string): Unwrapped {
  return { ...NOTHING, hazards: [message] };
}

export function merge(...all: readonly Unwrapped[]): Unwrapped {
  const list = all.filter((each) => each !== NOTHING);
  const [first = NOTHING] = list;
  if (list.length < 2) return first;
  return {
    runs: list.flatMap((each) => each.runs),
    problems: list.flatMap((each) => each.problems),
    hazards: list.flatMap((each) => each.hazards),
    runsCode: list.some((each) => each.runsCode),
    sets: list.flatMap((each) => each.sets),
  };
}

/** The words joined as `eval`, `ssh` and `watch` join them; null when one isn't static. */
export function joined(words: readonly Argument[]): Argument {
  return words.includes(null) ? null : words.join(' ');
}
