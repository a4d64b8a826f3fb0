/**
 * What a value that came over a socket has to be: small checks, put together to shapes. No JSON Schema: of an event only
 * the fields are looked at that somebody reads, for each one that comes, in the process whose memory is counted.
 */
import { isObject } from '../../protocol/is-object.ts';

export type Check = (value: unknown) => boolean;
/** The fields that are looked at, by name; an object may have more. */
export type Shape = Readonly<Record<string, Check>>;

/** A moment that a date can hold, ms. */
const LAST_MOMENT = 8_640_000_000_000_000;

export const anything: Check = (value) => value !== undefined;
export const text: Check = (value) => typeof value === 'string';
export const object: Check = isObject;
export const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** Rounded or not; JSON has numbers that are read as infinite. */
export const amount: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
/** UTC ms. */
export const moment: Check = (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) <= LAST_MOMENT;

export function oneOf(...values: readonly string[]): Check {
  return (value) => typeof value === 'string' && values.includes(value);
}

export function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

export function shaped(shape: Shape): Check {
  return (value) => isObject(value) && wrongField(value, shape) === null;
}

/** The first field that is not as the shape says; null when there is none. */
export function wrongField(value: Readonly<Record<string, unknown>>, shape: Shape): string | null {
  for (const name in shape)
    if (!(Object.hasOwn(value, name) ? shape[name]?.(value[name]) : shape[name]?.(undefined))) return name;
  return null;
}
