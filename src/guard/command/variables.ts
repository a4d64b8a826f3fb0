import { judgePassed } from './environment.ts';

/** Bash fills these by itself, whatever a text assigns. */
const FILLED_BY_BASH =
  /^(?:_|RANDOM|SRANDOM|SECONDS|LINENO|REPLY|P?P?U?E?U?ID|PIPESTATUS|FUNCNAME|DIRSTACK|GROUPS|OPT\w+|EPOCH\w+|HOST\w+|MACHTYPE|OSTYPE|MAPFILE|COPROC\w*|READLINE_\w+|BASH\w*|COMP_\w+|HIST\w+)$/;

/** Names with all the values that they may hold. */
export type KnownVariables = ReadonlyMap<string, readonly string[]>;

/** All values that a text gives to its variables, so that `"$f"` is known where it can be one of a few. */
export class Variables {
  readonly #values = new Map<string, Set<string> | null>();
  readonly #lent = new Set<string>();
  readonly #asked = new Set<string>();
  #isOpen = false;

  /** `null`: a value that is known only at run time. */
  assign(name: string, value: string | null): void {
    if (value === null) this.#values.set(name, null);
    else {
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, new Set([value]));
      else values?.add(value);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** It may hold what a variable of the environment does. Says whether somebody took it for the text's own before. */
  lend(name: string): boolean {
    this.#lent.add(name);
    return this.#asked.has(name);
  }

  isLent(name: string): boolean {
    this.#asked.add(name);
    return this.#lent.has(name);
  }

  /** Something sets a variable of which not even the name is known. */
  openAll(): void {
    this.#isOpen = true;
  }

  /** The variables that hold nothing else, but for those that arithmetic changes or the environment may have had. */
  known(used: ReadonlySet<string>): KnownVariables {
    const found = new Map<string, readonly string[]>();
    if (this.#isOpen) return found;
    for (const [name, values] of this.#values)
      if (values !== null && !used.has(name) && !FILLED_BY_BASH.test(name) && judgePassed(name) !== null)
        found.set(name, [...values]);
    return found;
  }
}

/** Whether a second reading, which knows these, found nothing that they do not say. */
export function isStillKnown(known: KnownVariables, again: KnownVariables): boolean {
  return [...known].every(
    ([name, values]) => again.get(name)?.every((value) => values.includes(value)) === true,
  );
}
