import { nearest } from '../errors/nearest.ts';

/** Comparisons of words that one load may cost, 1 µs each: 10,000 wrong names against 10,000 right ones take minutes. */
const MAX_COMPARISONS = 200_000;

let left = MAX_COMPARISONS;

/** Gives the next load its own budget. A load in between only shares it: it loses suggestions, never an error. */
export function renewSuggestions(): void {
  left = MAX_COMPARISONS;
}

/** The known name that was most likely meant; undefined when none is near, or the budget of the load is spent. */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  if (left <= 0) return undefined;
  return nearest(name, counted(known));
}

function* counted(known: Iterable<string>): Generator<string> {
  for (const word of known) {
    left--;
    yield word;
  }
}
