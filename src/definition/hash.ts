import { createHash } from 'node:crypto';
import type { Json } from './workflow.ts';

/**
 * SHA-256, hex, of the canonical JSON of a workflow file: keys sorted, no white space, numbers as JavaScript prints
 * them. Two files with the same hash mean the same, whatever their layout. Throws SyntaxError for text that is no
 * JSON. Text is what was read from disk; a value is what JSON.parse gave.
 */
export function definitionHash(file: string | Exclude<Json, string>): string {
  const value: Json = typeof file === 'string' ? JSON.parse(file.replace(/^\uFEFF/, '')) : file;
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** One text for one value, in the manner of RFC 8785. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${fields.join(',')}}`;
}
