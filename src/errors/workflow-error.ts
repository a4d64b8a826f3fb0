import { ERROR_TABLE, type ErrorCode, type ExitStatus, isErrorCode } from './table.ts';

/** One place in a file that is wrong, as `validate` and `run` report it. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** JSON path, e.g. `$.steps[2].inputs.url`. */
  readonly path: string;
  /** What is wrong, with the offending value and what is allowed. */
  readonly message: string;
  /** The nearest right spelling, when there is one. */
  readonly suggestion?: string;
}

/** The form in which an error crosses a process border or lies in the journal. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly step?: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly problems?: readonly Problem[];
}

export interface ErrorOptions {
  readonly step?: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
  /** What stands for the placeholders of the hint: `id` for `<id>`. A hint is a command to type. */
  readonly about?: Readonly<Record<string, string>>;
}

/** An error that a person will read: a code of the table, a message that names the thing, and a hint. */
export class WorkflowError extends Error {
  readonly code: ErrorCode;
  readonly step: string | undefined;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WorkflowError';
    this.code = code;
    this.step = options.step;
    this.hint = fillHint(options.hint ?? ERROR_TABLE[code].hint, options.about ?? {});
    this.details = options.details;
    this.problems = options.problems ?? [];
  }

  get exitStatus(): ExitStatus {
    return ERROR_TABLE[this.code].exit;
  }

  get isRetryable(): boolean {
    return ERROR_TABLE[this.code].isRetryable;
  }

  toRecord(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      ...(this.step === undefined ? {} : { step: this.step }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.problems.length === 0 ? {} : { problems: this.problems }),
    };
  }

  /** The error that a record from another process or from the journal speaks of. */
  static fromRecord(record: ErrorRecord): WorkflowError {
    return new WorkflowError(isErrorCode(record.code) ? record.code : 'INTERNAL', record.message, record);
  }
}

/** A hint with its placeholders filled, as far as they are known. */
export function fillHint(hint: string, about: Readonly<Record<string, string>>): string {
  return hint.replace(/<(\w+)>/g, (placeholder, name: string) => about[name] ?? placeholder);
}

/** Turns whatever was thrown into an Error, once, at a boundary. */
export function ensureError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What lies below an error's own words: the last of its causes. */
export function deepestCause(thrown: unknown): Error {
  let deepest = ensureError(thrown);
  // Two or three are usual; a circle of causes is nobody's wish.
  for (let depth = 0; depth < 8 && deepest.cause !== undefined; depth += 1)
    deepest = ensureError(deepest.cause);
  return deepest;
}

/** The `code` of a system error such as ENOENT, or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return undefined;
}

/** Turns whatever was thrown into a WorkflowError; what we did not foresee is INTERNAL and keeps its cause. */
export function ensureWorkflowError(thrown: unknown): WorkflowError {
  if (thrown instanceof WorkflowError) return thrown;
  const error = ensureError(thrown);
  return new WorkflowError('INTERNAL', error.message, { cause: error });
}
