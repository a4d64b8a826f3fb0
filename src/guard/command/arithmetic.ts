/**
 * Arithmetic in bash evaluates the text of variables again: with `x='a[$(git push)]'`, `$((x))` runs git. So a name
 * may stand in arithmetic only if nothing in the source gives it a value that isn't a number.
 */
export class ArithmeticNames {
  readonly #used = new Set<string>();
  readonly #assigned = new Set<string>();
  #isUnknown = false;

  /** The text of an arithmetic expression, subscript or slice. */
  use(text: string): void {
    const rest = text.replaceAll(LENGTH, '0');
    if (DANGEROUS.test(rest)) this.#isUnknown = true;
    for (const [name] of rest.matchAll(NAME)) this.#used.add(name);
  }

  /** The names in all of it: it may change them. */
  get used(): ReadonlySet<string> {
    return this.#used;
  }

  /** `null`: a value that is known only at run time. */
  assign(name: string, value: string | null): void {
    if (value === null || !NUMBER.test(value)) this.#assigned.add(name);
  }

  problems(): string[] {
    const names = [...this.#used].filter((name) => this.#assigned.has(name) || SET_BY_SHELL.test(name));
    return [
      ...(this.#isUnknown ? ['arithmetic evaluates text that is known only at run time'] : []),
      ...names.map((name) => `arithmetic evaluates "${name}", which may hold more than a number`),
    ];
  }
}

const LENGTH = /\$\{#\w+(?:\[[@*]\])?\}/g;
/** Substitutions, positional parameters, operations and quotes that hide text: all is evaluated as arithmetic. */
const DANGEROUS = /\$\(|`|\$\{?[0-9@*!-]|\$\{[^}]*[^}\w]|['\\]/;
const NAME = /(?<![\w])[A-Za-z_]\w*/g;
const NUMBER = /^[-+]?\d*$/;
/** Variables that bash itself fills with text that a command chooses. */
const SET_BY_SHELL =
  /^(?:_|REPLY|OPTARG|MAPFILE|COPROC|DIRSTACK|FUNCNAME|PWD|OLDPWD|PIPESTATUS|BASH_.*|COMP_.*|READLINE_.*|HIST.*)$/;
