import { hash } from 'node:crypto';

/**
 * Canonical JSON after RFC 8785: members sorted by UTF-16 code units, no blanks, numbers and strings as ECMAScript
 * writes them. Members with the value undefined are left out. Throws TypeError for what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON cannot hold the number ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object') {
    // A loop, not a chain of arrays: this runs for every audit record. Without a comparison sort() goes by code units.
    let text = '';
    const members = new Map<string, unknown>(Object.entries(value));
    for (const key of [...members.keys()].sort()) {
      const member = members.get(key);
      if (member !== undefined)
        text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
    }
    return `{${text}}`;
  }
  throw new TypeError(`canonical JSON cannot hold a ${typeof value}`);
}

/** SHA-256 of a text or of bytes, in hex. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** SHA-256 of the canonical JSON of a value, in hex. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}
