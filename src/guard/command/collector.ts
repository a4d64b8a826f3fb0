import { ArithmeticNames } from './arithmetic.ts';
import type { Known } from './known.ts';
import { type Places, pathsFrom, START } from './places.ts';
import { type Argument, type CommandReading, LIMITS, type Redirect, type SimpleCommand } from './reading.ts';
import { Variables } from './variables.ts';

/** Where a command stands while it is read. */
export interface Frame {
  /** The text that positions of the tree point into. */
  readonly source: string;
  readonly depth: number;
  readonly wrappers: readonly string[];
  readonly isNested: boolean;
  /** In a loop, function or trap: it may run after a `cd` that stands behind it. */
  readonly isFloating: boolean;
  /** `sh`: only what all POSIX shells read alike is read without a problem. */
  readonly dialect: 'bash' | 'sh';
  readonly places: Places;
  /** In a second reading, and not in text for another shell. */
  readonly known?: Known | undefined;
  /** Variables that are set whenever this is reached; the one set of a text grows with each statement of its own. */
  readonly surelySet: Set<string>;
  /** A statement of the text itself, in no branch, loop, pipe or function. */
  readonly isOuter: boolean;
}

interface Placed<T> {
  readonly value: T;
  readonly list: readonly Argument[];
  readonly isFloating: boolean;
}

/** Gathers what a walk finds; nothing is dropped without a problem. One per reading. */
export class Collector {
  readonly arithmetic = new ArithmeticNames();
  readonly variables = new Variables();
  readonly #problems = new Set<string>();
  readonly #hazards = new Set<string>();
  readonly #commands: Placed<Omit<SimpleCommand, 'directories'>>[] = [];
  readonly #redirects: Placed<Redirect>[] = [];
  readonly #functions = new Set<string>();
  readonly #called = new Set<string>();
  #parsed = 0;
  #isFull = false;
  #hasMoved = false;
  #hasMovedFloating = false;

  problem(message: string): void {
    this.#problems.add(message);
  }

  hazard(message: string): void {
    this.#hazards.add(message);
  }

  /** Whether a limit on the whole was reached: what is left isn't read, and a problem says so. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** To be called before text of that length is parsed. */
  parsing(length: number): void {
    this.#parsed += length;
    if (this.#parsed <= LIMITS.parsed) return;
    this.#isFull = true;
    this.problem('nested text is parsed again too often');
  }

  /** False when there are too many: the caller goes no deeper. */
  command(frame: Frame, command: Omit<SimpleCommand, 'directories'>): boolean {
    if (this.#commands.length >= LIMITS.commands) {
      this.#isFull = true;
      this.problem(`more than ${LIMITS.commands} commands`);
      return false;
    }
    this.#commands.push(place(frame, command));
    if (command.program !== null) this.#called.add(command.program);
    return true;
  }

  redirect(frame: Frame, redirect: Redirect): void {
    this.#redirects.push(place(frame, redirect));
  }

  /** Whether the folder is uncertain: of what floats after a `cd` anywhere, of all after one that floats itself. */
  isLost(isFloating: boolean): boolean {
    return this.#hasMovedFloating || (this.#hasMoved && isFloating);
  }

  defineFunction(name: string): void {
    this.#functions.add(name);
  }

  /** A `cd` was read. */
  moved(frame: Frame): void {
    this.#hasMoved = true;
    if (frame.isFloating) this.#hasMovedFloating = true;
  }

  finish(): Omit<CommandReading, 'possible'> {
    for (const name of this.#functions)
      if (this.#called.has(name)) this.problem(`"${name}" is called and is also defined as a function`);
    for (const problem of this.arithmetic.problems()) this.problem(problem);
    if (this.#commands.length + this.#redirects.length === 0 && this.#problems.size === 0)
      this.problem('there is no command');
    return {
      problems: [...this.#problems],
      hazards: [...this.#hazards],
      commands: this.#commands.map((placed) => this.#settle(placed)),
      redirects: this.#redirects.flatMap((placed) =>
        pathsFrom(this.#places(placed), placed.value.path).map((path) => ({ ...placed.value, path })),
      ),
    };
  }

  #settle(placed: Placed<Omit<SimpleCommand, 'directories'>>): SimpleCommand {
    const directories = this.#places(placed);
    // Nearly no command changes directory: nothing to join then.
    if (directories === START) return { ...placed.value, directories };
    const join = (paths: readonly Argument[]) => paths.flatMap((path) => pathsFrom(directories, path));
    const { reads, writes } = placed.value;
    return { ...placed.value, reads: join(reads), writes: join(writes), directories };
  }

  #places(placed: Placed<unknown>): readonly Argument[] {
    return this.isLost(placed.isFloating) ? [null] : placed.list;
  }
}

function place<T>(frame: Frame, value: T): Placed<T> {
  return { value, list: frame.places.list, isFloating: frame.isFloating };
}
