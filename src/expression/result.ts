import type { Json } from '../definition/workflow.ts';
import { LimitFault } from './expression-error.ts';

const MAX_ELEMENTS = 100_000;
const MAX_CHARS = 16_000_000;
const MAX_DEPTH = 200;

/**
 * Throws a LimitFault when a result, written out as JSON, would be out of proportion: `xs.map(x, xs)` is small in
 * memory, where all elements are one list, and 100 million numbers in the journal.
 */
export function checkResult(value: Json): void {
  if (typeof value !== 'object' || value === null) return;
  let elements = 0;
  let chars = 0;
  const open: { readonly value: Json; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value === 'string') chars += next.value.length;
    if (typeof next.value !== 'object' || next.value === null) continue;
    const children = Object.values(next.value);
    elements += children.length;
    if (next.depth >= MAX_DEPTH) throw new LimitFault(`the result is nested deeper than ${MAX_DEPTH}`, 0);
    if (elements > MAX_ELEMENTS || chars > MAX_CHARS) {
      throw new LimitFault(`the result has more than ${MAX_ELEMENTS} elements or ${MAX_CHARS} characters`, 0);
    }
    for (const child of children) open.push({ value: child, depth: next.depth + 1 });
  }
}
