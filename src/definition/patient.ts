import type { Problem } from '../errors/workflow-error.ts';
import { jsonPath } from './json-path.ts';
import { type SchemaFinding, valueAt } from './schema-findings.ts';
import type { JsonObject } from './workflow.ts';

export type Segments = readonly (string | number)[];

/** Begins a name that stands for one that cannot be read. A valid id has no such letters. */
const MARK = 'UNREADABLE_PART_';
const MARKED = /"UNREADABLE_PART_\d+"/g;

/** A copy of a file that is being mended, and the way back from its places to those of the file. */
export class Patient {
  readonly root: JsonObject;
  readonly gaps = {
    areStepsOpen: false,
    areNamesOpen: false,
    areHandlersOpen: false,
    areWritersOpen: false,
  };
  /** Paths of values that nobody wrote. */
  readonly #blank = new Set<string>();
  /** Paths of steps whose type was guessed. */
  readonly #guessed = new Set<string>();
  readonly #moved: { readonly now: string; readonly was: string }[] = [];
  #placeholders = 0;

  constructor(root: JsonObject) {
    this.root = root;
  }

  at(segments: Segments): unknown {
    return valueAt(this.root, segments);
  }

  /** The object or list that holds the value, or null. */
  ownerOf(segments: Segments): object | null {
    const owner = this.at(segments.slice(0, -1));
    return typeof owner === 'object' ? owner : null;
  }

  /** Puts a value that nobody wrote; undefined takes the key away. What is said of it is not said of the file. */
  fill(segments: Segments, value: unknown): void {
    this.#blank.add(jsonPath(segments));
    this.put(segments, value);
  }

  /** Puts a value that stands for what was written. */
  put(segments: Segments, value: unknown): void {
    const owner = this.ownerOf(segments);
    const key = segments.at(-1);
    if (owner === null || key === undefined) return;
    if (value === undefined) Reflect.deleteProperty(owner, key);
    else Reflect.set(owner, key, value);
  }

  /** What is at `now` in the copy is at `was` in the file. */
  moved(now: Segments, was: Segments): void {
    this.#moved.push({ now: jsonPath(now), was: jsonPath(was) });
  }

  guessed(segments: Segments): void {
    this.#guessed.add(jsonPath(segments));
  }

  /** True for what only says that a guess was wrong. */
  isGuessed({ segments }: SchemaFinding): boolean {
    return this.#guessed.has(jsonPath(segments));
  }

  placeholder(): string {
    this.#placeholders += 1;
    return `${MARK}${this.#placeholders}`;
  }

  /** A problem of the copy in terms of the file; null for one that only follows from what was put there. */
  translate(problem: Problem): Problem | null {
    if (this.#isBelowBlank(problem.path) || problem.message.startsWith(`step "${MARK}`)) return null;
    const message = problem.message.replace(MARKED, 'without an id');
    return { ...problem, message, path: this.#pathInFile(problem.path) };
  }

  #isBelowBlank(path: string): boolean {
    for (
      let end = path.length;
      end > 0;
      end = Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1))
    )
      if (this.#blank.has(path.slice(0, end))) return true;
    return false;
  }

  #pathInFile(path: string): string {
    // The innermost move first: an outer one changes the path that the inner one knows.
    const moves = this.#moved.toSorted((a, b) => b.now.length - a.now.length);
    return moves.reduce((at, { now, was }) => {
      const isBelow = at === now || at.startsWith(`${now}.`) || at.startsWith(`${now}[`);
      return isBelow ? was + at.slice(now.length) : at;
    }, path);
  }
}
