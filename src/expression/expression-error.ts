/**
 * An expression that cannot be compiled or evaluated. `column` counts from 1 in the source as the author wrote it
 * (before the pre-pass), so that a caret below it points at the right place.
 */
export class ExpressionError extends Error {
  readonly column: number;
  readonly source: string;
  /** The nearest right spelling, when a name was not known. */
  readonly suggestion: string | undefined;

  constructor(message: string, column: number, source: string, suggestion?: string) {
    super(message);
    this.name = 'ExpressionError';
    this.column = column;
    this.source = source;
    this.suggestion = suggestion;
  }

  /** The message with its place, for where no caret is drawn. */
  get locatedMessage(): string {
    return `${this.message} (column ${this.column} of ${JSON.stringify(this.source.slice(0, 120))})`;
  }
}

/**
 * Thrown inside the evaluator, where only the place in the rewritten text is known; the wrapper turns it into an
 * ExpressionError. It is no Error, because a macro may absorb thousands and a stack trace costs 10 µs.
 */
export class EvaluationFault {
  readonly message: string;
  readonly offset: number;
  /** The nearest right spelling; only looked for when somebody will read it. */
  readonly suggest: () => string | undefined;

  constructor(message: string, offset: number, suggest: () => string | undefined = () => undefined) {
    this.message = message;
    this.offset = offset;
    this.suggest = suggest;
  }
}

/** A cap was hit. No operator may absorb it, as `||` and `&&` absorb other errors. */
export class LimitFault extends EvaluationFault {}
