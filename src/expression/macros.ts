import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json } from '../definition/workflow.ts';
import { EvaluationFault, LimitFault } from './expression-error.ts';
import type { Meter } from './meter.ts';
import { isMap, keysOf, typeName } from './operators.ts';

/** How many macros may lie in each other: two of 300 elements are 90,000 visits. */
export const MAX_MACRO_DEPTH = 2;

/** Macro name → how many arguments it takes. */
export const MACROS: ReadonlyMap<string, readonly number[]> = new Map([
  ['all', [2]],
  ['exists', [2]],
  ['exists_one', [2]],
  ['filter', [2]],
  ['map', [2, 3]],
]);

interface MacroCall {
  readonly name: string;
  readonly receiver: Json;
  readonly args: readonly ASTNode[];
  readonly meter: Meter;
  readonly at: number;
  /** Evaluates a node with the macro's variable bound to an element. */
  evaluate(node: ASTNode, variable: string, element: Json): Json;
}

/** `list.all(x, …)` and its kin. Over a map the variable takes the keys. */
export function runMacro(call: MacroCall): Json {
  const elements = elementsOf(call);
  const variable = variableOf(call.args[0]) ?? '';
  const bodies = call.args.slice(1);
  const run = (body: ASTNode | undefined, element: Json): Json =>
    body === undefined ? null : call.evaluate(body, variable, element);
  const test = (body: ASTNode | undefined, element: Json): boolean => {
    const value = run(body, element);
    if (typeof value === 'boolean') return value;
    throw new EvaluationFault(
      `${call.name}() needs a bool for each element, not a ${typeName(value)}`,
      call.at,
    );
  };
  call.meter.depth += 1;
  try {
    return apply(call, elements, { bodies, run, test });
  } finally {
    call.meter.depth -= 1;
  }
}

interface Runner {
  readonly bodies: readonly ASTNode[];
  readonly run: (body: ASTNode | undefined, element: Json) => Json;
  readonly test: (body: ASTNode | undefined, element: Json) => boolean;
}

function apply(call: MacroCall, elements: readonly Json[], { bodies, run, test }: Runner): Json {
  const [first, second] = bodies;
  const each = function* (): Generator<Json> {
    for (const element of elements) {
      call.meter.visit(call.at);
      yield element;
    }
  };
  switch (call.name) {
    case 'all':
      return decide(each(), (element) => test(first, element), false, call.meter);
    case 'exists':
      return decide(each(), (element) => test(first, element), true, call.meter);
    case 'exists_one': {
      let count = 0;
      for (const element of each()) count += Number(test(first, element));
      return count === 1;
    }
    case 'filter':
      return [...each()].filter((element) => test(first, element));
    default: {
      const result: Json[] = [];
      for (const element of each()) {
        if (second === undefined) result.push(run(first, element));
        else if (test(first, element)) result.push(run(second, element));
      }
      return result;
    }
  }
}

/** CEL: an element that decides wins over one that failed; else the first failure is the answer. */
function decide(
  elements: Iterable<Json>,
  test: (element: Json) => boolean,
  deciding: boolean,
  meter: Meter,
): boolean {
  let failure: EvaluationFault | null = null;
  for (const element of elements) {
    try {
      if (test(element) === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof EvaluationFault) || !meter.mayAbsorb(error))
        throw error instanceof LimitFault ? error : (failure ?? error);
      failure ??= error;
    }
  }
  if (failure !== null) throw failure;
  return !deciding;
}

/** The variable that the macro binds, or null when its first argument is no plain name. */
export function variableOf(node: ASTNode | undefined): string | null {
  return node?.op === 'id' ? node.args : null;
}

function elementsOf({ name, receiver, meter, at }: MacroCall): readonly Json[] {
  if (Array.isArray(receiver)) return receiver;
  if (isMap(receiver)) return keysOf(receiver, meter, at);
  throw new EvaluationFault(`${name}() needs a list or a map, not a ${typeName(receiver)}`, at);
}
