import type { Json } from '../definition/workflow.ts';
import { EvaluationFault } from './expression-error.ts';
import type { Meter } from './meter.ts';
import { finite, isMap, keysOf, typeName } from './operators.ts';
import { findRegex } from './regex.ts';

/** V8 searches a long pattern by its last 250 characters only: in the worst case this much a character of both. */
const SEARCH_SPAN = 256;

interface Call {
  readonly name: string;
  /** The receiver of a method comes first. */
  readonly args: readonly Json[];
  readonly meter: Meter;
  readonly at: number;
}

interface Callable {
  /** How it may be called: `size(x)`, `x.size()`, or both. */
  readonly form: 'function' | 'method' | 'both';
  /** Number of arguments, the receiver counted. */
  readonly arity: readonly [number, number];
  run(call: Call): Json;
}

/** Every function there is, macros and `has` apart. What is not here cannot be called. */
export const FUNCTIONS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ['size', { form: 'both', arity: [1, 1], run: size }],
  [
    're',
    {
      form: 'both',
      arity: [2, 2],
      run: (call) => findRegex(text(call, 0), text(call, 1), call.meter, call.at),
    },
  ],
  ['string', { form: 'function', arity: [1, 1], run: toText }],
  ['int', { form: 'function', arity: [1, 1], run: (call) => finite(Math.trunc(toNumber(call)), call.at) }],
  ['double', { form: 'function', arity: [1, 1], run: toNumber }],
  ['bool', { form: 'function', arity: [1, 1], run: toBool }],
  ['type', { form: 'function', arity: [1, 1], run: ({ args }) => typeName(args[0] ?? null) }],
  ['dyn', { form: 'function', arity: [1, 1], run: ({ args }) => args[0] ?? null }],
  ['startsWith', method(2, (call) => text(call, 0).startsWith(searched(call)))],
  ['endsWith', method(2, (call) => text(call, 0).endsWith(searched(call)))],
  ['contains', method(2, (call) => text(call, 0).includes(searched(call)))],
  ['indexOf', method(2, (call) => text(call, 0).indexOf(searched(call)))],
  ['lastIndexOf', method(2, (call) => text(call, 0).lastIndexOf(searched(call)))],
  ['lowerAscii', method(1, (call) => made(call).replace(/[A-Z]+/g, (part) => part.toLowerCase()))],
  ['upperAscii', method(1, (call) => made(call).replace(/[a-z]+/g, (part) => part.toUpperCase()))],
  ['trim', method(1, (call) => made(call).trim())],
  ['substring', { form: 'method', arity: [2, 3], run: substring }],
  ['split', method(2, split)],
  ['join', { form: 'method', arity: [1, 2], run: join }],
]);

function method(arity: number, run: (call: Call) => Json): Callable {
  return { form: 'method', arity: [arity, arity], run };
}

function size({ args, meter, at }: Call): Json {
  const value = args[0] ?? null;
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return keysOf(value, meter, at).length;
  if (typeof value !== 'string') throw new EvaluationFault(`size() of ${typeName(value)} is not known`, at);
  meter.scan(value.length * 4, at);
  let count = 0;
  for (let index = 0; index < value.length; index++) {
    if ((value.codePointAt(index) ?? 0) > 0xffff) index++;
    count++;
  }
  return count;
}

function toText({ args, meter, at }: Call): Json {
  const value = args[0] ?? null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  meter.spend(1, at);
  throw new EvaluationFault(`string() takes a string, number or bool, not a ${typeName(value)}`, at);
}

function toNumber({ args, meter, at }: Call): number {
  const value = args[0] ?? null;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    meter.scan(value.length, at);
    if (/^[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?$/.test(value))
      return finite(Number(value), at);
  }
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : `a ${typeName(value)}`;
  throw new EvaluationFault(`${shown} is not a number`, at);
}

function toBool({ args, at }: Call): Json {
  const value = args[0] ?? null;
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw new EvaluationFault(`bool() takes true, false, "true" or "false", not a ${typeName(value)}`, at);
}

function substring(call: Call): Json {
  const source = text(call, 0);
  const start = index(call, 1, source.length);
  const end = call.args.length === 3 ? index(call, 2, source.length) : source.length;
  if (end < start) throw new EvaluationFault(`substring(${start}, ${end}) ends before it begins`, call.at);
  call.meter.make(end - start, call.at);
  return source.slice(start, end);
}

function split(call: Call): Json {
  const source = text(call, 0);
  const separator = searched(call);
  const pieces = source.split(separator, 100_001);
  call.meter.visit(call.at, pieces.length);
  return pieces;
}

function join(call: Call): Json {
  const [list = null] = call.args;
  if (!Array.isArray(list))
    throw new EvaluationFault(`join() needs a list, not a ${typeName(list)}`, call.at);
  const separator = call.args.length === 2 ? text(call, 1) : '';
  call.meter.visit(call.at, list.length);
  const pieces: string[] = [];
  let length = separator.length * list.length;
  for (const item of list) {
    if (typeof item !== 'string') {
      throw new EvaluationFault(`join() needs a list of strings, it holds a ${typeName(item)}`, call.at);
    }
    pieces.push(item);
    length += item.length;
  }
  call.meter.make(length, call.at);
  return pieces.join(separator);
}

function text(call: Call, position: number): string {
  const value = call.args[position] ?? null;
  if (typeof value !== 'string') {
    throw new EvaluationFault(`${call.name}() works on strings, not on a ${typeName(value)}`, call.at);
  }
  return value;
}

/** The text that is looked for; the search is paid for here. */
function searched(call: Call): string {
  const source = text(call, 0);
  const needle = text(call, 1);
  call.meter.scan(source.length + Math.ceil((source.length * needle.length) / SEARCH_SPAN), call.at);
  return needle;
}

/** The receiver of a method that makes a text as long. */
function made(call: Call): string {
  const source = text(call, 0);
  call.meter.make(source.length * 2, call.at);
  return source;
}

function index(call: Call, position: number, limit: number): number {
  const value = call.args[position] ?? null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > limit) {
    throw new EvaluationFault(
      `${call.name}() needs a whole number from 0 to ${limit}, not ${JSON.stringify(value)?.slice(0, 40)}`,
      call.at,
    );
  }
  return value;
}
