import type { Problem } from '../errors/workflow-error.ts';
import { shown } from './path.ts';

/** More than this helps nobody; a hostile file could give millions. */
const MAX_PROBLEMS = 500;
/** Comparisons of words that one file may cost: 10,000 wrong names against 10,000 right ones take minutes. */
const MAX_COMPARISONS = 200_000;
const MAX_WORD = 64;

/** Collects what is wrong with one file, and finds the nearest right spellings within a budget. */
export class Problems {
  readonly #found: Problem[] = [];
  #errors = 0;
  #left = 0;
  #comparisons = 0;

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  error(path: string, message: string, suggestion?: string): void {
    this.#errors++;
    this.#add('error', path, message, suggestion);
  }

  warning(path: string, message: string, suggestion?: string): void {
    this.#add('warning', path, message, suggestion);
  }

  /** An error about a name that is not known, with the nearest known one and the list when it is short. */
  unknown(path: string, message: string, name: string, known: Iterable<string>): void {
    this.error(path, message + listed(known), this.nearest(name, known));
  }

  /** The known word that was most likely meant; undefined when none is near or the budget is spent. */
  nearest(word: string, known: Iterable<string>): string | undefined {
    if (word.length > MAX_WORD) return undefined;
    const allowed = Math.max(1, Math.floor(word.length / 3));
    let best: string | undefined;
    let bestDistance = allowed + 1;
    for (const candidate of known) {
      if (this.#comparisons > MAX_COMPARISONS) return best;
      if (candidate === word || Math.abs(candidate.length - word.length) >= bestDistance) continue;
      this.#comparisons++;
      const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
      if (distance < bestDistance && distance < candidate.length)
        [best, bestDistance] = [candidate, distance];
    }
    return best;
  }

  /** All of them in the order found. */
  list(): Problem[] {
    if (this.#left === 0) return [...this.#found];
    const message = `${this.#left} more problems are not shown`;
    return [...this.#found, { severity: this.#errors > 0 ? 'error' : 'warning', path: '$', message }];
  }

  #add(severity: Problem['severity'], path: string, message: string, suggestion: string | undefined): void {
    if (this.#found.length >= MAX_PROBLEMS) this.#left++;
    else this.#found.push({ severity, path, message, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}

const MAX_LISTED = 12;

function listed(known: Iterable<string>): string {
  const names = [...known];
  return names.length === 0 || names.length > MAX_LISTED ? '' : `; known: ${names.map(shown).join(', ')}`;
}

/** Levenshtein distance in which a swap of two neighbours counts as one. */
function editDistance(left: string, right: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = left[i - 1] === right[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const swapped = isSwap ? (older[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row[j] = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + change,
        swapped,
      );
    }
    [older, previous] = [previous, row];
  }
  return previous[right.length] ?? 0;
}
