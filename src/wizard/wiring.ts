/** Where a step takes a value from, and how the workflow file says it. */

import { parseReference } from '../definition/input-value.ts';
import { RESERVED_IDS } from '../definition/reserved.ts';
import type { Json } from '../definition/workflow.ts';
import { isObject } from '../protocol/is-object.ts';
import { textOf } from './answers/answers.ts';

export type Source =
  | { readonly kind: 'output'; readonly step: string; readonly field: string | null }
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: Json }
  /** Text with values in it, `${{ … }}`. */
  | { readonly kind: 'template'; readonly text: string };

/**
 * A source as a value of `inputs`. A literal stays one whatever steps are called: `ids` are those that there are, and no
 * step gets the name of a text that is there (spot.ts).
 */
export function fileValue(source: Source, ids: ReadonlySet<string>): Json {
  switch (source.kind) {
    case 'output':
      return source.field === null ? { ref: source.step } : `${source.step}${segment(source.field)}`;
    case 'input':
      return `inputs${segment(source.name)}`;
    case 'context':
      return `context${segment(source.name)}`;
    case 'secret':
      return { secret: source.name };
    case 'template':
      return source.text;
    case 'literal':
      return isPlain(source.value, ids) ? source.value : { literal: source.value };
  }
}

/** A source as an expression names it. */
export function expressionText(source: Exclude<Source, { kind: 'secret' | 'template' }>): string {
  switch (source.kind) {
    case 'output':
      return `${source.step}${source.field === null ? '' : segment(source.field)}`;
    case 'input':
      return `inputs${segment(source.name)}`;
    case 'context':
      return `context${segment(source.name)}`;
    case 'literal':
      return JSON.stringify(source.value);
  }
}

/** Fields of these names have to be quoted in an expression. */
const CONSTANTS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in']);

/** `.name`, or `["other name"]` where that is no plain word: in a reference and in an expression it means the same. */
function segment(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !CONSTANTS.has(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`;
}

/** A value that cannot be read as anything but itself: no reference, no template, nothing to be looked into. */
function isPlain(value: Json, ids: ReadonlySet<string>): boolean {
  if (typeof value !== 'string') return typeof value !== 'object' || value === null;
  if (value.includes('${{')) return false;
  const segments = parseReference(value);
  return segments === null || (segments.length === 1 && !ids.has(value) && !RESERVED_IDS.has(value));
}

/** What a person typed: JSON where it reads so, else the text itself. */
export function typedLiteral(text: string, type: string): Json {
  if (type === 'string') return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text;
  }
}

/** Why a text is no value of a type; null when it is one. */
export function typeFault(text: string, type: string): string | null {
  const value = typedLiteral(text, type);
  switch (type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
        ? null
        : 'It takes a number, such as 42 or 0.5.';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'It takes true or false.';
    case 'object':
      return isObject(value) ? null : 'It takes a JSON object, such as {"key": "value"}.';
    case 'array':
      return Array.isArray(value) ? null : 'It takes a JSON list, such as [1, 2].';
    default:
      return null;
  }
}

/** A value of a file in a word or two, for a person. */
export function valueText(value: Json): string {
  if (typeof value === 'string') return parseReference(value) === null ? JSON.stringify(value) : value;
  if (isObject(value)) {
    const [key, ...more] = Object.keys(value);
    if (more.length === 0 && key === 'literal') return JSON.stringify(value['literal']);
    if (more.length === 0 && key === 'ref') return textOf(value['ref']);
    if (more.length === 0 && key === 'secret') return `secret ${textOf(value['secret'])}`;
  }
  return JSON.stringify(value);
}
