/** Failures that the interpreter itself finds, in the form that goes into the journal. */
import type { ErrorCode } from '../errors/table.ts';
import { type ErrorRecord, ensureError, WorkflowError } from '../errors/workflow-error.ts';
import { ExpressionError } from '../expression/expression-error.ts';

/** A failure of the step at `path`. */
export function failure(
  code: ErrorCode,
  message: string,
  path: string,
  details?: Readonly<Record<string, unknown>>,
): ErrorRecord {
  return new WorkflowError(code, message, {
    step: path,
    ...(details === undefined ? {} : { details }),
  }).toRecord();
}

export type Result<Value> =
  | { readonly isOk: true; readonly value: Value }
  | { readonly isOk: false; readonly error: ErrorRecord };

/** Evaluates on behalf of the step at `path`: whatever is thrown becomes its failure. */
export function attempt<Value>(path: string, evaluate: () => Value): Result<Value> {
  try {
    return { isOk: true, value: evaluate() };
  } catch (thrown) {
    if (thrown instanceof WorkflowError) return { isOk: false, error: { ...thrown.toRecord(), step: path } };
    if (!(thrown instanceof ExpressionError))
      return { isOk: false, error: failure('EXPRESSION_FAILED', ensureError(thrown).message, path) };
    const { column, source, locatedMessage } = thrown;
    return { isOk: false, error: failure('EXPRESSION_FAILED', locatedMessage, path, { column, source }) };
  }
}
