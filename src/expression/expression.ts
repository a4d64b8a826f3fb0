import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json } from '../definition/workflow.ts';
import { didYouMean } from '../errors/nearest.ts';
import type { Bindings } from './bindings.ts';
import { checkTree } from './check.ts';
import { notBool, refuseNeverBool } from './condition.ts';
import { evaluateNode } from './evaluate.ts';
import { EvaluationFault, ExpressionError } from './expression-error.ts';
import { Meter } from './meter.ts';
import { typeName } from './operators.ts';
import { isParserLoaded, loadParser, MAX_SOURCE, parse } from './parser.ts';
import { type Rewritten, rewrite } from './prepass.ts';
import { isRegexLoaded, loadRegex } from './regex.ts';
import { checkResult } from './result.ts';
import type { Scope } from './scope.ts';

export type { Bindings } from './bindings.ts';
export { ExpressionError } from './expression-error.ts';
export type { Scope } from './scope.ts';

export interface Expression {
  readonly source: string;
  /** Names it uses: step ids, names of context and inputs, `iteration`, `error`. */
  readonly references: readonly string[];
  /** The value, always JSON. Throws ExpressionError. Costs at most 100,000 element visits and about 50 ms. */
  evaluate(bindings: Bindings): Json;
  /** Throws ExpressionError when it can be no condition: `counter + 1` is a number, whatever the counter is. */
  assertCondition(): void;
  /** The value of a condition: throws ExpressionError when it is not a bool. */
  test(bindings: Bindings): boolean;
}

const CALLS_REGEX = /\bre\s*\(/;

/**
 * Loads what `compileExpression` needs for these sources: nothing when there are none, the regex engine only when
 * one calls `re`. Cheap when it was loaded before. A run without expressions never pays for the parser.
 */
export async function loadExpressions(sources: Iterable<string>): Promise<void> {
  for (const source of sources) {
    if (!isParserLoaded()) await loadParser();
    if (!isRegexLoaded() && CALLS_REGEX.test(source)) await loadRegex();
  }
}

/**
 * Compiles an expression against the names in scope. Throws ExpressionError, with the column in `source`, for what
 * can be known now: syntax, unknown names and functions, caps on size and nesting. `loadExpressions` comes first.
 */
export function compileExpression(source: string, scope: Scope): Expression {
  if (source.length > MAX_SOURCE) {
    throw new ExpressionError(
      `the expression has ${source.length} characters, at most ${MAX_SOURCE} are allowed`,
      1,
      source,
    );
  }
  if (source.trim() === '') throw new ExpressionError('the expression is empty', 1, source);
  const rewritten = rewrite(source, scope);
  const tree = parse(rewritten, source);
  const references = located(source, rewritten, () => checkTree(tree, scope));
  const evaluate = (bindings: Bindings): Json => run(tree, source, rewritten, bindings);
  return {
    source,
    references,
    evaluate,
    assertCondition: () => located(source, rewritten, () => refuseNeverBool(tree)),
    test(bindings) {
      const value = evaluate(bindings);
      if (typeof value === 'boolean') return value;
      throw new ExpressionError(notBool(`a ${typeName(value)}`), 1, source);
    },
  };
}

function run(tree: ASTNode, source: string, rewritten: Rewritten, bindings: Bindings): Json {
  return located(source, rewritten, () => {
    const value = evaluateNode(tree, { bindings, meter: new Meter(), locals: null });
    checkResult(value);
    return value;
  });
}

function located<T>(source: string, rewritten: Rewritten, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof EvaluationFault)) throw error;
    const column = rewritten.sourceOffset(error.offset) + 1;
    const suggestion = error.suggest();
    throw new ExpressionError(error.message + didYouMean(suggestion), column, source, suggestion);
  }
}
