const PLAIN = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** `$.steps[2].inputs.url`; keys that are no plain names are quoted: `$.error_handling.per_step["fetch-data"]`. */
export function jsonPath(segments: readonly (string | number)[]): string {
  return segments.reduce<string>((path, segment) => append(path, segment), '$');
}

/** A path one step longer. */
export function append(path: string, segment: string | number): string {
  if (typeof segment === 'number') return `${path}[${segment}]`;
  return PLAIN.test(segment) ? `${path}.${segment}` : `${path}[${JSON.stringify(segment)}]`;
}

/** A value as a message quotes it: short, on one line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  if (text.length <= 60) return text;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `${text.slice(0, 57)}…`;
}

/** The kind of a JSON value in words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
