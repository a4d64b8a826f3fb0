import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { ExpressionError } from './expression-error.ts';
import type { Rewritten } from './prepass.ts';

export const MAX_SOURCE = 4096;
const LIMITS = {
  maxAstNodes: 600,
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 256,
  maxCallArguments: 8,
};

let environment: Environment | null = null;

/** Loads the CEL parser (24 ms); nothing else in the product does. */
export async function loadParser(): Promise<void> {
  if (environment !== null) return;
  const cel = await import('@marcbachmann/cel-js');
  environment = new cel.Environment({ unlistedVariablesAreDyn: true, limits: LIMITS });
}

export function isParserLoaded(): boolean {
  return environment !== null;
}

/** Parses CEL text that came out of the pre-pass. Errors carry columns of the source. */
export function parse(rewritten: Rewritten, source: string): ASTNode {
  if (environment === null) {
    throw new Error('the expression parser is not loaded: await loadExpressions() first');
  }
  try {
    return environment.parse(rewritten.text).ast;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { summary, start } = describe(error);
    throw new ExpressionError(summary, rewritten.sourceOffset(start) + 1, source);
  }
}

const PLAIN: Readonly<Record<string, string>> = {
  'Unexpected character: $': 'an expression stands without ${{ }}: that is for texts of inputs',
  'Unexpected token: EOF': 'the expression ends too early',
  'Expected IDENTIFIER, got IN': 'a field called "in" is written ["in"]',
  'Expected IDENTIFIER, got NULL': 'a field called "null" is written ["null"]',
  'Expected IDENTIFIER, got BOOLEAN': 'a field called "true" or "false" is written ["true"], ["false"]',
  'Unexpected character: =': 'unexpected "="; equality is written ==',
  'Unexpected character: &': 'unexpected "&"; "and" is written &&',
  'Unexpected character: |': 'unexpected "|"; "or" is written ||',
};

/** cel-js adds a picture of the rewritten text to its message; the summary is the line without it. */
function describe(error: Error): { summary: string; start: number } {
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  const range = 'range' in error ? error.range : undefined;
  const hasStart = typeof range === 'object' && range !== null && 'start' in range;
  const start = hasStart && typeof range.start === 'number' ? range.start : 0;
  return { summary: PLAIN[summary] ?? withoutJargon(summary), start };
}

/** `items.all(item, …)` where a step is called `item`: the pre-pass has made `steps["item"]` of the variable. */
function withoutJargon(summary: string): string {
  const macro = /^(\w+)\(.*\) invalid .*iteration variable$/.exec(summary)?.[1];
  return macro === undefined ? summary : `${macro}() needs a name for each element, one that no step has`;
}
