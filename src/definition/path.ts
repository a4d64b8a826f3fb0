/** JSON paths and values as messages show them. */

/** The path of a field or element: `$.steps` and `2` → `$.steps[2]`; a key that is no plain name is quoted. */
export function at(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${shown(key)}]`;
}

const MAX_SHOWN = 80;

/** A value in JSON, cut when it is long; arrays and objects by what they are. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? value : String(value);
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return typeof value === 'string' ? JSON.stringify(cut) : cut;
}
