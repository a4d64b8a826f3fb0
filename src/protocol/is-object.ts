import type { JsonObject } from '../definition/workflow.ts';

/** True for what JSON calls an object: no list, and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
