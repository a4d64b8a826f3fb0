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
  'Unexpected token: EOF': 'the expression ends too early',
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
  return { summary: PLAIN[summary] ?? summary, start };
}
