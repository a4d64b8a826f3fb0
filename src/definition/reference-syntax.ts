/** The spelling of references in `inputs`: `fetch-data.data`, `a.items[0].name`, `context.user`. */

const SHAPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_$-]+|\[[0-9]{1,9}\])*$/;
const SEGMENT = /[A-Za-z0-9_$-]+/g;
const MAX_REFERENCE = 1000;

/** The segments of a whole string that has the shape of a reference; null for any other string. */
export function parseReference(text: string): readonly [string, ...(string | number)[]] | null {
  if (text.length > MAX_REFERENCE || !SHAPE.test(text)) return null;
  const [first, ...rest] = [...text.matchAll(SEGMENT)].map((found) =>
    text[found.index - 1] === '[' ? Number(found[0]) : found[0],
  );
  return first === undefined ? null : [String(first), ...rest];
}

/** True for a string of `inputs` that holds expressions to be filled in. */
export function isTemplate(text: string): boolean {
  return text.includes('${{');
}
