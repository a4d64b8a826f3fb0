import { ERROR_TABLE } from '../../errors/table.ts';
import { type ErrorRecord, fillHint } from '../../errors/workflow-error.ts';
import type { ErrorDocument } from '../../protocol/control.ts';
import { isObject } from '../../protocol/is-object.ts';

/** An error of a run as `status` shows it. Hints are commands to type, so they name the run and the step. */
export function errorDocument(error: ErrorRecord, instance: string): ErrorDocument {
  const hint = error.hint ?? ERROR_TABLE[error.code]?.hint;
  return {
    code: error.code,
    message: error.message,
    step: error.step ?? null,
    hint: hint === undefined ? null : named(hint, instance, error.step),
    ...(error.details === undefined ? {} : { details: withNamedHints(error.details, instance) }),
  };
}

/** The errors of branches and handlers stand in the details of the one that came of them. */
function withNamedHints(
  details: Readonly<Record<string, unknown>>,
  instance: string,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(details).map(([key, value]) => {
    if (key === 'hint' && typeof value === 'string' && typeof details['code'] === 'string')
      return [key, named(value, instance, details['step'])] as const;
    return [key, isObject(value) ? withNamedHints(value, instance) : value] as const;
  });
  return Object.fromEntries(entries);
}

function named(hint: string, instance: string, step: unknown): string {
  return fillHint(hint, { id: instance, ...(typeof step === 'string' ? { path: step } : {}) });
}
