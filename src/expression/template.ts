import type { Json } from '../definition/workflow.ts';
import {
  type Bindings,
  compileExpression,
  type Expression,
  ExpressionError,
  type Scope,
} from './expression.ts';

export interface Template {
  readonly source: string;
  readonly references: readonly string[];
  /** The text; or, when the template is exactly one `${{ … }}`, the value itself. Throws ExpressionError. */
  render(bindings: Bindings): Json;
}

const OPEN = '${{';
const CLOSE = '}}';
const ESCAPED = '$${{';
const MAX_TEMPLATE = 100_000;
const MAX_PARTS = 100;

type Part = string | Expression;

/** True when a string of `inputs` is a template (or an escaped one). */
export function isTemplate(text: string): boolean {
  return text.includes(OPEN);
}

/** The sources inside a template, for `loadExpressions`. An unclosed one gives none. */
export function templateSources(text: string): readonly string[] {
  return cut(text).flatMap((piece) => (piece.kind === 'expression' ? [piece.text] : []));
}

/**
 * Compiles `text ${{ expression }} more`. In text a string stands as it is, null as nothing, lists and maps as
 * JSON. `$${{` is a literal `${{`. Throws ExpressionError with the column in the whole text.
 */
export function compileTemplate(source: string, scope: Scope): Template {
  if (source.length > MAX_TEMPLATE) {
    throw new ExpressionError(`the template is longer than ${MAX_TEMPLATE} characters`, 1, source);
  }
  const pieces = cut(source);
  if (pieces.length > MAX_PARTS) {
    throw new ExpressionError(`the template has more than ${MAX_PARTS} parts`, 1, source);
  }
  const parts: Part[] = pieces.map((piece) => {
    if (piece.kind === 'text') return piece.text;
    if (piece.kind === 'unclosed') {
      throw new ExpressionError(`"${OPEN}" is never closed by "${CLOSE}"`, piece.at + 1, source);
    }
    return shifted(source, piece.at, () => compileExpression(piece.text, scope));
  });
  const expressions = parts.filter((part): part is Expression => typeof part !== 'string');
  const offsets = pieces.map((piece) => piece.at);
  return {
    source,
    references: [...new Set(expressions.flatMap((expression) => expression.references))],
    render(bindings) {
      const values = parts.map((part, index) =>
        typeof part === 'string' ? part : shifted(source, offsets[index] ?? 0, () => part.evaluate(bindings)),
      );
      if (parts.length === 1 && expressions.length === 1) return values[0] ?? null;
      return values.map(asText).join('');
    },
  };
}

interface Piece {
  readonly kind: 'text' | 'expression' | 'unclosed';
  readonly text: string;
  /** Where it begins in the template. */
  readonly at: number;
}

function cut(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let position = 0;
  while (position < source.length) {
    const open = source.indexOf(OPEN, position);
    if (open === -1) break;
    if (open > 0 && source.startsWith(ESCAPED, open - 1) && open - 1 >= position) {
      text += source.slice(position, open - 1) + OPEN;
      position = open + OPEN.length;
      continue;
    }
    text += source.slice(position, open);
    if (text !== '') pieces.push({ kind: 'text', text, at: position });
    text = '';
    const start = open + OPEN.length;
    const end = closeOf(source, start);
    if (end === -1) return [...pieces, { kind: 'unclosed', text: source.slice(start), at: open }];
    pieces.push({ kind: 'expression', text: source.slice(start, end), at: start });
    position = end + CLOSE.length;
  }
  text += source.slice(position);
  return text === '' ? pieces : [...pieces, { kind: 'text', text, at: position }];
}

/** The `}}` that ends an expression: not one inside a string of it, nor one that closes its own maps. */
function closeOf(source: string, start: number): number {
  let quote: string | null = null;
  let depth = 0;
  for (let index = start; index < source.length; index++) {
    const char = source[index] ?? '';
    if (quote !== null) {
      if (char === '\\') index++;
      else if (char === quote) quote = null;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth++;
    else if (char === '}') {
      if (depth > 0) depth--;
      else return source[index + 1] === '}' ? index : -1;
    }
  }
  return -1;
}

function asText(value: Json): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Columns of an inner expression, counted in the whole template. */
function shifted<T>(source: string, offset: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(error.message, error.column + offset, source, error.suggestion);
  }
}
