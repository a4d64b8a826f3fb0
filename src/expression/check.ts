import type { ASTNode } from '@marcbachmann/cel-js';
import { nearest } from '../errors/nearest.ts';
import { EvaluationFault } from './expression-error.ts';
import { FUNCTIONS } from './functions.ts';
import { MACROS, MAX_MACRO_DEPTH, variableOf } from './macros.ts';
import { compileRegex, isRegexLoaded } from './regex.ts';
import { bareNames, ROOTS, type Scope } from './scope.ts';
import { childrenOf, fieldOfNode, namedBy } from './tree.ts';

interface Visit {
  readonly scope: Scope;
  readonly found: Set<string>;
  readonly locals: readonly string[];
  /** Inside `has()`, where a field may be missing. */
  readonly isProbe: boolean;
}

const REAL_NAMES: Readonly<Record<string, string>> = {
  matches: 're(text, pattern)',
  length: 'size(x)',
  len: 'size(x)',
  toLowerCase: 'x.lowerAscii()',
  toUpperCase: 'x.upperAscii()',
  includes: 'x.contains(y)',
  number: 'double(x)',
  float: 'double(x)',
};

/**
 * Checks a tree against its scope before anything runs, and returns the names that it uses: step ids, bare names,
 * `iteration`, `error`. Throws an EvaluationFault at the first thing that can never work.
 */
export function checkTree(root: ASTNode, scope: Scope): readonly string[] {
  const found = new Set<string>();
  visit(root, { scope, found, locals: [], isProbe: false });
  return [...found];
}

function visit(node: ASTNode, state: Visit): void {
  const name = namedBy(node);
  if (name?.root === 'steps') useStep(name.name, node, state);
  else if (name !== null) state.found.add(name.name);
  else if (node.op === 'value') checkLiteral(node.args, node.pos);
  else if (node.op === 'id') useName(node.args, node.pos, state);
  else if (node.op === 'call') checkCall(node.args[0], null, node.args[1], node, state);
  else if (node.op === 'rcall') checkCall(node.args[0], node.args[1], node.args[2], node, state);
  else if (node.op === '.?' || node.op === '[?]') {
    throw new EvaluationFault('optional access (.? and [?]) is not supported; use has(a.b)', node.pos);
  } else if (!useRootField(node, state)) {
    for (const child of childrenOf(node)) visit(child, state);
  }
}

function checkLiteral(value: unknown, at: number): void {
  if (value instanceof Uint8Array) throw new EvaluationFault('bytes (b"…") have no JSON form', at);
  if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
    throw new EvaluationFault(`${value} is too large to be exact as a JSON number`, at);
  }
}

function useName(name: string, at: number, state: Visit): void {
  if (state.locals.includes(name)) return;
  const { scope, found } = state;
  if (bareNames(scope).has(name)) {
    found.add(name);
    return;
  }
  if (name === 'iteration' && scope.hasIteration === false) {
    throw new EvaluationFault('"iteration" is known only inside a loop', at);
  }
  if (name === 'error' && scope.hasError === false) {
    throw new EvaluationFault('"error" is known only in error handlers', at);
  }
  if (name === 'steps') throw new EvaluationFault('"steps" needs the id of a step: steps["the-id"]', at);
  if (ROOTS.has(name)) {
    found.add(name);
    return;
  }
  if (scope.areStepsOpen === true || scope.areNamesOpen === true) return;
  const known = [...bareNames(scope), ...scope.stepIds, ...state.locals, ...ROOTS];
  const suggest = (): string | undefined => nearest(name, known);
  throw new EvaluationFault(`unknown name "${name}"`, at, suggest);
}

function useStep(id: string, node: ASTNode, state: Visit): void {
  if (state.scope.stepIds.has(id)) {
    state.found.add(id);
    return;
  }
  if (state.scope.areStepsOpen === true) return;
  const suggest = (): string | undefined => nearest(id, state.scope.stepIds);
  throw new EvaluationFault(`unknown step "${id}"`, node.pos, suggest);
}

/** `context.x`, `context.mutable.x`, `inputs.x`: true when the node is such a place and was dealt with. */
function useRootField(node: ASTNode, state: Visit): boolean {
  const place = fieldOfNode(node);
  if (place === null) return false;
  const { receiver, name, at } = place;
  const { scope, found } = state;
  const root = rootOf(receiver, state);
  if (root === null) return false;
  const known = knownUnder(root, scope);
  if (root === 'context' && (name === 'readonly' || name === 'mutable')) {
    found.add('context');
    return true;
  }
  found.add(known === undefined ? (root.split('.')[0] ?? root) : name);
  if (known === undefined || known.has(name) || state.isProbe || scope.areNamesOpen === true) return true;
  const suggest = (): string | undefined => nearest(name, known);
  throw new EvaluationFault(`${root} has no "${name}"`, at, suggest);
}

type Root = 'context' | 'context.mutable' | 'context.readonly' | 'inputs';

function rootOf(node: ASTNode, state: Visit): Root | null {
  if (node.op === 'id' && (node.args === 'context' || node.args === 'inputs')) {
    return state.locals.includes(node.args) || bareNames(state.scope).has(node.args) ? null : node.args;
  }
  if (node.op !== '.' || rootOf(node.args[0], state) !== 'context') return null;
  if (node.args[1] === 'mutable') return 'context.mutable';
  return node.args[1] === 'readonly' ? 'context.readonly' : null;
}

function knownUnder(root: Root, { readonly, mutable, inputs }: Scope): ReadonlySet<string> | undefined {
  switch (root) {
    case 'inputs':
      return inputs;
    case 'context.mutable':
      return mutable;
    case 'context.readonly':
      return readonly;
    case 'context':
      return readonly === undefined || mutable === undefined ? undefined : new Set([...mutable, ...readonly]);
  }
}

function checkCall(
  name: string,
  receiver: ASTNode | null,
  args: readonly ASTNode[],
  node: ASTNode,
  state: Visit,
): void {
  if (name === 'has' && receiver === null) {
    const [probe] = args;
    if (probe?.op !== '.') throw new EvaluationFault('has() takes a field: has(a.b)', node.pos);
    visit(probe, { ...state, isProbe: true });
    return;
  }
  if (receiver !== null && MACROS.get(name)?.includes(args.length) === true) {
    visit(receiver, state);
    checkMacro(name, args, node, state);
    return;
  }
  checkFunction(name, receiver, args, node.pos);
  for (const child of receiver === null ? args : [receiver, ...args]) visit(child, state);
}

function checkMacro(name: string, args: readonly ASTNode[], node: ASTNode, state: Visit): void {
  const variable = variableOf(args[0]);
  if (variable === null) {
    throw new EvaluationFault(
      `${name}() needs a name for each element, one that no step has`,
      args[0]?.pos ?? node.pos,
    );
  }
  if (state.locals.length >= MAX_MACRO_DEPTH) {
    throw new EvaluationFault(
      `${name}() lies inside more than ${MAX_MACRO_DEPTH - 1} other macro; at most ${MAX_MACRO_DEPTH} may be nested`,
      node.pos,
    );
  }
  const inner = { ...state, locals: [variable, ...state.locals] };
  for (const body of args.slice(1)) visit(body, inner);
}

function checkFunction(name: string, receiver: ASTNode | null, args: readonly ASTNode[], at: number): void {
  const known = FUNCTIONS.get(name);
  const count = args.length + Number(receiver !== null);
  if (known === undefined) {
    const real = Object.hasOwn(REAL_NAMES, name) ? REAL_NAMES[name] : undefined;
    const suggest = (): string | undefined =>
      real ?? nearest(name, [...FUNCTIONS.keys(), ...MACROS.keys(), 'has']);
    throw new EvaluationFault(`there is no function ${name}()`, at, suggest);
  }
  if (known.form === (receiver === null ? 'method' : 'function')) {
    const right = known.form === 'method' ? `x.${name}(…)` : `${name}(x)`;
    throw new EvaluationFault(`${name}() is called like this: ${right}`, at);
  }
  const [least, most] = known.arity;
  if (count < least || count > most) {
    const less = Number(known.form === 'method');
    const wanted = least === most ? `${least - less}` : `${least - less} or ${most - less}`;
    throw new EvaluationFault(`${name}() takes ${wanted} arguments, ${args.length} were given`, at);
  }
  const pattern = name === 're' ? args.at(-1) : undefined;
  if (pattern?.op === 'value' && typeof pattern.args === 'string' && isRegexLoaded()) {
    compileRegex(pattern.args, pattern.pos);
  }
}
