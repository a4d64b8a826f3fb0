import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { nearest } from '../errors/nearest.ts';
import { type Bindings, contextValue, lookUp, stepResult } from './bindings.ts';
import { EvaluationFault } from './expression-error.ts';
import { FUNCTIONS } from './functions.ts';
import { MACROS, runMacro } from './macros.ts';
import type { Meter } from './meter.ts';
import { arithmetic, equal, isIn, isMap, keysOf, ordered, typeName } from './operators.ts';
import { namedBy } from './tree.ts';

export interface Frame {
  readonly bindings: Bindings;
  readonly meter: Meter;
  /** Variables of open macros, innermost first. */
  readonly locals: Locals | null;
}

interface Locals {
  readonly name: string;
  readonly value: Json;
  readonly outer: Locals | null;
}

/**
 * The value of a checked tree. We walk the tree of cel-js ourselves: its own evaluator has no budget, splits
 * numbers into int and double, and compares strings with patterns in exponential time (docs/expressions.md).
 */
export function evaluateNode(node: ASTNode, frame: Frame): Json {
  frame.meter.spend(1, node.pos);
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id':
      return identifier(node.args, frame, node.pos);
    case '.':
      return field(node, node.args[0], node.args[1], frame);
    case '[]':
      return element(node, node.args[0], node.args[1], frame);
    case 'list':
      return node.args.map((item) => evaluateNode(item, frame));
    case 'map':
      return Object.fromEntries(
        node.args.map(([key, value]) => [mapKey(key, frame), evaluateNode(value, frame)]),
      );
    case '?:': {
      const [condition, yes, no] = node.args;
      return evaluateNode(bool(evaluateNode(condition, frame), '?:', condition.pos) ? yes : no, frame);
    }
    case '&&':
      return logical(node.args, false, frame);
    case '||':
      return logical(node.args, true, frame);
    case '!_':
      return !bool(evaluateNode(node.args, frame), '!', node.pos);
    case '-_':
      return arithmetic('-', 0, evaluateNode(node.args, frame), frame.meter, node.pos);
    case 'call':
      return call(node.args[0], null, node.args[1], node.pos, frame);
    case 'rcall':
      return call(node.args[0], node.args[1], node.args[2], node.pos, frame);
    case '.?':
    case '[?]':
      throw new EvaluationFault('optional access is not supported', node.pos);
    case '==':
    case '!=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [first, second] = node.args;
      return binary(node.op, evaluateNode(first, frame), evaluateNode(second, frame), node.pos, frame.meter);
    }
  }
}

type Binary = '==' | '!=' | 'in' | '+' | '-' | '*' | '/' | '%' | '<' | '<=' | '>' | '>=';

function binary(operator: Binary, left: Json, right: Json, at: number, meter: Meter): Json {
  switch (operator) {
    case '==':
      return equal(left, right, meter, at);
    case '!=':
      return !equal(left, right, meter, at);
    case 'in':
      return isIn(left, right, meter, at);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(operator, left, right, meter, at);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right, meter, at);
  }
}

/** Literals that have no JSON form were refused when the expression was checked. */
export function literal(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value);
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value;
  }
  return Number(value);
}

function identifier(name: string, { bindings, meter, locals }: Frame, at: number): Json {
  for (let local = locals; local !== null; local = local.outer) if (local.name === name) return local.value;
  const value = lookUp(name, bindings);
  if (value !== undefined) return value;
  switch (name) {
    case 'context': {
      const context = contextValue(bindings);
      keysOf(context, meter, at);
      return context;
    }
    case 'inputs':
      return bindings.inputs;
    case 'error':
      return bindings.error ?? null;
    default:
      throw new EvaluationFault(`"${name}" has no value`, at);
  }
}

function named(node: ASTNode, frame: Frame): Json | undefined {
  const name = namedBy(node);
  if (name === null) return undefined;
  if (name.root === 'steps') return stepResult(name.name, frame.bindings, node.pos);
  return identifier(name.name, frame, node.pos);
}

function field(node: ASTNode, receiver: ASTNode, name: string, frame: Frame): Json {
  const direct = named(node, frame);
  if (direct !== undefined) return direct;
  const value = evaluateNode(receiver, frame);
  if (value === null && isOfStep(receiver)) return null;
  if (!isMap(value)) {
    throw new EvaluationFault(`cannot read field "${name}" of a ${typeName(value)}`, node.pos);
  }
  return fieldOf(value, name, node.pos);
}

function element(node: ASTNode, receiver: ASTNode, key: ASTNode, frame: Frame): Json {
  const direct = named(node, frame);
  if (direct !== undefined) return direct;
  const value = evaluateNode(receiver, frame);
  const index = evaluateNode(key, frame);
  if (value === null && isOfStep(receiver)) return null;
  if (isMap(value) && typeof index === 'string') return fieldOf(value, index, key.pos);
  if (!Array.isArray(value) || typeof index !== 'number') {
    throw new EvaluationFault(`cannot take [${typeName(index)}] of a ${typeName(value)}`, key.pos);
  }
  const item = Number.isInteger(index) ? value[index] : undefined;
  if (item === undefined) {
    throw new EvaluationFault(`index ${index} is not in a list of ${value.length}`, key.pos);
  }
  return item;
}

function fieldOf(value: JsonObject, name: string, at: number): Json {
  const found = Object.hasOwn(value, name) ? value[name] : undefined;
  if (found !== undefined) return found;
  const suggest = (): string | undefined => nearest(name, Object.keys(value).slice(0, 100));
  throw new EvaluationFault(`no such field: "${name}"`, at, suggest);
}

/** A skipped step's outputs are null, and so are their fields, also where a group or loop holds its result. */
function isOfStep(node: ASTNode): boolean {
  for (let at = node; at.op === '.' || at.op === '[]'; at = at.args[0]) {
    const name = namedBy(at);
    if (name !== null) return name.root === 'steps';
  }
  return false;
}

function mapKey(node: ASTNode, frame: Frame): string {
  const key = evaluateNode(node, frame);
  if (typeof key === 'string') return key;
  throw new EvaluationFault(`the keys of a map are strings, not a ${typeName(key)}`, node.pos);
}

/** CEL: when one side decides, an error of the other does not matter. */
function logical([left, right]: readonly [ASTNode, ASTNode], deciding: boolean, frame: Frame): boolean {
  const word = deciding ? '||' : '&&';
  let failure: EvaluationFault;
  try {
    if (bool(evaluateNode(left, frame), word, left.pos) === deciding) return deciding;
    return bool(evaluateNode(right, frame), word, right.pos);
  } catch (error) {
    if (!(error instanceof EvaluationFault) || !frame.meter.mayAbsorb(error)) throw error;
    failure = error;
  }
  if (bool(evaluateNode(right, frame), word, right.pos) === deciding) return deciding;
  throw failure;
}

function bool(value: Json, word: string, at: number): boolean {
  if (typeof value === 'boolean') return value;
  throw new EvaluationFault(`${word} needs a bool, not a ${typeName(value)}`, at);
}

function call(
  name: string,
  receiver: ASTNode | null,
  args: readonly ASTNode[],
  at: number,
  frame: Frame,
): Json {
  if (name === 'has' && receiver === null) return has(args[0], frame);
  if (receiver !== null && MACROS.has(name)) {
    const evaluate = (node: ASTNode, variable: string, value: Json): Json =>
      evaluateNode(node, { ...frame, locals: { name: variable, value, outer: frame.locals } });
    return runMacro({
      name,
      receiver: evaluateNode(receiver, frame),
      args,
      meter: frame.meter,
      at,
      evaluate,
    });
  }
  const known = FUNCTIONS.get(name);
  if (known === undefined) throw new EvaluationFault(`there is no function ${name}()`, at);
  const values = [...(receiver === null ? [] : [receiver]), ...args].map((node) => evaluateNode(node, frame));
  return known.run({ name, args: values, meter: frame.meter, at });
}

/** `has(a.b)`: the field is there and not null. Only the last step of the path may be missing. */
function has(node: ASTNode | undefined, frame: Frame): boolean {
  if (node?.op !== '.') return false;
  const name = namedBy(node);
  if (name?.root === 'steps') return (frame.bindings.steps(name.name) ?? null) !== null;
  const value = evaluateNode(node.args[0], frame);
  if (!isMap(value)) return false;
  return Object.hasOwn(value, node.args[1]) && value[node.args[1]] !== null;
}
