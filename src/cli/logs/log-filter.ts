import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { printable } from '../text/style.ts';
import type { LogItem } from './log-merge.ts';

export interface LogFilterOptions {
  readonly stream: 'stdout' | 'stderr' | null;
  /** An expression in RE2's syntax. */
  readonly grep: string | null;
}

/**
 * Whether an item is to be shown. A gap always is: what is gone might have matched. The expression is looked for in
 * the text as people see it, without escapes, and in linear time. Throws USAGE for one that cannot be read.
 */
export async function logFilter({ stream, grep }: LogFilterOptions): Promise<(item: LogItem) => boolean> {
  const letter = stream === 'stderr' ? 'e' : 'o';
  const matches = grep === null ? null : await matcher(grep);
  return (item) => {
    if (item.kind === 'gap') return true;
    if (stream !== null && item.stream !== letter) return false;
    return matches === null || matches(printable(item.text));
  };
}

async function matcher(pattern: string): Promise<(text: string) => boolean> {
  // 10 ms to load, and a plain word needs no engine.
  if (!/[\\^$.|?*+()[\]{}]/.test(pattern)) return (text) => text.includes(pattern);
  const { RE2JS } = await import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    throw new WorkflowError(
      'USAGE',
      `--grep takes a regular expression, and "${pattern}" is none: ${ensureError(error).message}`,
      { cause: error, hint: 'Write a backslash before a character that is meant as it stands.' },
    );
  }
}

/** Keeps the last `count` of what it is given, and no more: a line may have a megabyte. */
export class LastItems<T> {
  readonly #count: number;
  #items: T[] = [];
  /** The oldest, once there are `count`. */
  #first = 0;

  constructor(count: number) {
    this.#count = count;
  }

  add(item: T): void {
    if (this.#items.length < this.#count) this.#items.push(item);
    else if (this.#count > 0) {
      this.#items[this.#first] = item;
      this.#first = (this.#first + 1) % this.#count;
    }
  }

  take(): T[] {
    return [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)];
  }
}
