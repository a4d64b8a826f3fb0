/** An argument after quotes are removed; null stands for any number of words that only the shell will know. */
export type Argument = string | null;

/** `null` when the value isn't static. */
export interface Assignment {
  readonly name: string;
  readonly value: string | null;
}

/** One program that a command would run. Each wrapper (`sudo`, `xargs`, …) is one beside what it runs. */
export interface SimpleCommand {
  /** As written, after quotes: `git`, `/usr/bin/git`. Null: computed at run time, and a problem as well. */
  readonly program: string | null;
  readonly args: readonly Argument[];
  /** Each null among the arguments is one word, which the shell neither takes apart nor fills in: `"$x"`, `$?`. */
  readonly areWordsWhole: boolean;
  /** Set for this command only: `A=b program`, `env A=b program`. */
  readonly assignments: readonly Assignment[];
  /** What was unwrapped to find it, outermost first: `['sudo', 'sh -c']`. */
  readonly wrappers: readonly string[];
  /** Its source, or its words where it has none of its own. */
  readonly text: string;
  /** Whether it stands in a substitution, a function, a wrapper or text for another shell. */
  readonly isNested: boolean;
  /** The words carry a program text, or name one that isn't read here: interpreters, make, npm, docker run, … */
  readonly runsCode: boolean;
  /** Paths it reads by its arguments, from the directory the whole command starts in; null: not known. */
  readonly reads: readonly Argument[];
  /** Paths it makes, changes or removes by its arguments. */
  readonly writes: readonly Argument[];
  /** False: the program isn't in our tables, or `reads` and `writes` can't say all that these arguments touch. */
  readonly isEffectKnown: boolean;
  /** Where it may run, from the directory the whole command starts in; `.` is that one, null: not known. */
  readonly directories: readonly Argument[];
}

export interface Redirect {
  /** From the directory the whole command starts in; null: not known. */
  readonly path: string | null;
  readonly mode: 'read' | 'write' | 'append' | 'read_write';
  /** Its source, where the path is not known: a part of it may be. */
  readonly text?: string;
}

/** All that a command would run and open, as far as its text says. */
export interface CommandReading {
  /** Why the reading may be incomplete or differ from what the shell does: never to be allowed. */
  readonly problems: readonly string[];
  /** What changes the meaning of other commands (PATH, aliases, rc files): never by a plain allow rule. */
  readonly hazards: readonly string[];
  readonly commands: readonly SimpleCommand[];
  /** What programs that start others, and texts of code, may run besides: enough to forbid it, never to permit it. */
  readonly possible: readonly SimpleCommand[];
  readonly redirects: readonly Redirect[];
}

/** Limits of a reading; what exceeds one is a problem. */
export const LIMITS = {
  sourceBytes: 64 * 1024,
  /** Characters that are parsed in all: each level of nesting is parsed again. */
  parsed: 512 * 1024,
  /** Substitutions, groups and wrappers within each other. */
  depth: 40,
  commands: 2000,
  /** Words of one command, after brace expansion. */
  words: 20_000,
  /** Words out of the brace expansion of one word. */
  braceWords: 64,
  /** Directories a command may be in after several `cd`. */
  directories: 16,
} as const;
