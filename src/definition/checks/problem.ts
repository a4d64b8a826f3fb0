import { didYouMean } from '../../errors/nearest.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import { suggest } from '../suggest.ts';

export function errorAt(path: string, message: string, suggestion?: string): Problem {
  return { severity: 'error', path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

export function warningAt(path: string, message: string, suggestion?: string): Problem {
  return { severity: 'warning', path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** An error about a name that is not known, with the nearest one that is. */
export function unknownName(path: string, message: string, name: string, known: Iterable<string>): Problem {
  const suggestion = suggest(name, known);
  return errorAt(path, `${message}${didYouMean(suggestion)}`, suggestion);
}
