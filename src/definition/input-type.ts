import type { InputDeclaration, Json } from './workflow.ts';

/** The type that an input has to be declared with to take the value; `any` for null. */
export function inputTypeOf(value: Json): InputDeclaration['type'] {
  if (value === null) return 'any';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  return typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string';
}
