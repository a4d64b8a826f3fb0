/** The names that an expression may use, known when the workflow is registered. */
export interface Scope {
  readonly stepIds: ReadonlySet<string>;
  /** Bare names: keys of context.mutable and context.readonly, names of inputs. */
  readonly names?: ReadonlySet<string>;
  /** When given, `context.x`, `context.mutable.x`, `context.readonly.x` are checked against them. */
  readonly mutable?: ReadonlySet<string>;
  readonly readonly?: ReadonlySet<string>;
  /** When given, `inputs.x` is checked against it. */
  readonly inputs?: ReadonlySet<string>;
  /** False where no error can be seen, so that `error` is refused; default true. */
  readonly hasError?: boolean;
  /** False outside loops, so that `iteration` is refused; default true. */
  readonly hasIteration?: boolean;
  /** True when a step may be declared in a part of the file that cannot be read: an unknown one is no error. */
  readonly areStepsOpen?: boolean;
  /** The same for inputs and keys of context. */
  readonly areNamesOpen?: boolean;
}

const NO_NAMES: ReadonlySet<string> = new Set();

export function bareNames(scope: Scope): ReadonlySet<string> {
  return scope.names ?? NO_NAMES;
}

/** The pre-pass writes a bare name that CEL could not read as `__names["the-name"]`. Authors cannot write it. */
export const NAMES_ROOT = '__names';

export const ROOTS: ReadonlySet<string> = new Set(['context', 'inputs', 'steps', 'error', 'iteration']);

/** Words that CEL reserves: as an identifier they do not parse. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  (
    'as break const continue else for function if import in let loop package namespace return true false null var void ' +
    'while prototype'
  ).split(' '),
);
