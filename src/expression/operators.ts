import type { Json, JsonObject } from '../definition/workflow.ts';
import { EvaluationFault, LimitFault } from './expression-error.ts';
import type { Meter } from './meter.ts';

const MAX_COMPARED_DEPTH = 200;

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type OrderOperator = '<' | '<=' | '>' | '>=';

/** The word for a value's type in messages and in `type(x)`. */
export function typeName(value: Json): 'null' | 'bool' | 'number' | 'string' | 'list' | 'map' {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' ? 'string' : 'map';
}

export function isMap(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `+ - * / %` over JSON values. JSON has one type of number, so has this language: `7 / 2` is 3.5, whether the 7
 * was typed, counted or came as 7.0 from a skill; CEL's integer division would make the answer depend on how a
 * producer printed its number. `int(7 / 2)` is 3. `%` takes the sign of the dividend. Division by zero and results
 * that JSON cannot hold are errors. `+` also joins two strings or two lists (lists not inside a macro, where that
 * costs the square of the length).
 */
export function arithmetic(
  operator: ArithmeticOperator,
  left: Json,
  right: Json,
  meter: Meter,
  at: number,
): Json {
  if (typeof left === 'number' && typeof right === 'number')
    return finite(compute(operator, left, right, at), at);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') {
      meter.make(left.length + right.length, at);
      return left + right;
    }
    if (Array.isArray(left) && Array.isArray(right)) {
      if (meter.depth > 0) {
        throw new EvaluationFault('lists cannot be joined with + inside map, filter, all or exists', at);
      }
      meter.visit(at, left.length + right.length);
      return [...left, ...right];
    }
  }
  throw new EvaluationFault(`cannot compute ${typeName(left)} ${operator} ${typeName(right)}`, at);
}

/** A result that is still a JSON number. */
export function finite(value: number, at: number): number {
  if (!Number.isFinite(value)) throw new EvaluationFault('the result is not a finite number', at);
  return value === 0 ? 0 : value; // JSON.stringify(-0) is "0": what is journaled must equal what was computed
}

function compute(operator: ArithmeticOperator, left: number, right: number, at: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new EvaluationFault('division by zero', at);
      return left / right;
    case '%':
      if (right === 0) throw new EvaluationFault('modulo by zero', at);
      return left % right;
  }
}

/** Order of two numbers, two strings (by UTF-16 code unit) or two booleans; other pairs have no order. */
export function ordered(operator: OrderOperator, left: Json, right: Json, meter: Meter, at: number): boolean {
  let order: number;
  if (typeof left === 'string' && typeof right === 'string') {
    meter.scan(Math.min(left.length, right.length), at);
    order = left < right ? -1 : Number(left > right);
  } else if (typeof left === typeof right && (typeof left === 'number' || typeof left === 'boolean')) {
    order = Number(left) - Number(right);
  } else {
    throw new EvaluationFault(`cannot compare ${typeName(left)} ${operator} ${typeName(right)}`, at);
  }
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Deep equality. Values of different types are unequal, never an error. */
export function equal(left: Json, right: Json, meter: Meter, at: number, depth = 0): boolean {
  if (left === right && typeof left !== 'string') return true;
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length !== right.length) return false;
    meter.scan(left.length, at);
    return left === right;
  }
  if (depth > MAX_COMPARED_DEPTH) {
    throw new LimitFault(`compares values nested deeper than ${MAX_COMPARED_DEPTH}`, at);
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return false;
    return left.every((item, index) => {
      meter.visit(at);
      return equal(item, right[index] ?? null, meter, at, depth + 1);
    });
  }
  if (!isMap(left) || !isMap(right)) return false;
  const keys = keysOf(left, meter, at);
  if (keys.length !== keysOf(right, meter, at).length) return false;
  return keys.every(
    (key) => Object.hasOwn(right, key) && equal(left[key] ?? null, right[key] ?? null, meter, at, depth + 1),
  );
}

/** `x in list` by equality, `"key" in map` by key. */
export function isIn(needle: Json, haystack: Json, meter: Meter, at: number): boolean {
  if (Array.isArray(haystack)) {
    return haystack.some((item) => {
      meter.visit(at);
      return equal(needle, item, meter, at);
    });
  }
  if (isMap(haystack)) return typeof needle === 'string' && Object.hasOwn(haystack, needle);
  throw new EvaluationFault(`"in" needs a list or a map on its right, not a ${typeName(haystack)}`, at);
}

/** The keys of a map, each paid for as one visit. */
export function keysOf(map: JsonObject, meter: Meter, at: number): string[] {
  const keys = Object.keys(map);
  meter.visit(at, keys.length);
  return keys;
}
