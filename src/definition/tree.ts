import { type FileStep, isRecord } from './file.ts';
import { at } from './path.ts';

/** One step of the file with its place. */
export interface Entry {
  readonly step: FileStep;
  /** JSON path of the step. */
  readonly path: string;
  readonly parent: Entry | null;
  /** The list that holds it: of the workflow, of its parent, or none for a step written in place. */
  readonly list: 'steps' | 'handlers' | 'then' | 'else' | 'inline';
  readonly index: number;
  /** Composites around it. */
  readonly depth: number;
  readonly children: Entry[];
}

/** Composites within each other at most. */
export const MAX_DEPTH = 100;

export const INNER_LISTS = ['steps', 'then', 'else'] as const;

/** A place for a step written in place of a handler's name. */
export function inlineEntry(step: FileStep, path: string): Entry {
  return { step, path, parent: null, list: 'inline', index: 0, depth: 0, children: [] };
}

/** The entries of a list of steps, without those within them; what is no object has been reported elsewhere. */
export function listEntries(
  values: readonly unknown[] | undefined,
  path: string,
  list: Entry['list'],
  parent: Entry | null,
): Entry[] {
  if (!Array.isArray(values)) return [];
  const depth = parent === null ? 0 : parent.depth + 1;
  return values.flatMap((step, index): Entry[] =>
    isRecord(step) ? [{ step, path: at(path, index), parent, list, index, depth, children: [] }] : [],
  );
}

/** The entry and all within it, in document order. Needs no recursion. */
export function* withinEntry(root: Entry): Generator<Entry> {
  const rest = [root];
  for (let entry = rest.pop(); entry !== undefined; entry = rest.pop()) {
    yield entry;
    for (let index = entry.children.length - 1; index >= 0; index--) {
      const child = entry.children[index];
      if (child !== undefined) rest.push(child);
    }
  }
}
