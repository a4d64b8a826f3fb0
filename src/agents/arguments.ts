import type { JsonObject } from '../definition/workflow.ts';

/** An argument that is a text; `fallback` where it is absent or something else. */
export function textArgument(args: JsonObject, name: string, fallback = ''): string {
  const value = args[name];
  return typeof value === 'string' ? value : fallback;
}

/** An argument that is a number; `fallback` where it is absent or something else. */
export function numberArgument(args: JsonObject, name: string, fallback: number): number {
  const value = args[name];
  return typeof value === 'number' ? value : fallback;
}
