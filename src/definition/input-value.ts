import { isTemplate } from '../expression/template.ts';
import type { InputValue, Json, JsonObject } from './workflow.ts';

const SHAPE = /^[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*|\[[0-9]{1,9}\]|\["[^"\\\]]+"\])*$/;
const SEGMENT = /(?:^|\.)([A-Za-z0-9_][A-Za-z0-9_-]*)|\[([0-9]{1,9})\]|\["([^"\\\]]+)"\]/g;
const ERROR_FIELDS: ReadonlySet<string | number> = new Set(['code', 'message', 'step', 'attempts']);

/** What tells a reference from a literal string. */
export interface ReferenceRoots {
  readonly stepIds: ReadonlySet<string>;
  /** Handlers also see `error`. */
  readonly isHandler: boolean;
}

export type Segments = readonly (string | number)[];

/** The segments of a text in the shape of a reference (`a.items[0].name`), or null for any other text. */
export function parseReference(text: string): Segments | null {
  if (text.length > 1000 || !SHAPE.test(text)) return null;
  return [...text.matchAll(SEGMENT)].map(([, name, index, key]) =>
    index === undefined ? (name ?? key ?? '') : Number(index),
  );
}

/**
 * A value of `inputs` by its form. A whole string that begins with a declared step id, `context` or `inputs` is a
 * reference, also a bare id; in handlers the four fields of `error` too. `{"ref"}`, `{"literal"}` and `{"secret"}`
 * with exactly that one key say it explicitly, at any depth.
 */
export function inputValue(value: Json, roots: ReferenceRoots): InputValue {
  if (typeof value === 'string') return fromString(value, roots);
  if (typeof value !== 'object' || value === null) return { kind: 'literal', value };
  if (Array.isArray(value)) {
    return simplest({ kind: 'array', items: value.map((item) => inputValue(item, roots)) }, value);
  }
  const explicit = fromExplicit(value);
  if (explicit !== null) return explicit;
  const fields = Object.entries(value).map(([key, item]) => [key, inputValue(item, roots)] as const);
  return simplest({ kind: 'object', fields: Object.fromEntries(fields) }, value);
}

function fromString(text: string, { stepIds, isHandler }: ReferenceRoots): InputValue {
  if (isTemplate(text)) return { kind: 'template', source: text };
  const segments = parseReference(text);
  const [root, second] = segments ?? [];
  const isKnown = typeof root === 'string' && (stepIds.has(root) || root === 'context' || root === 'inputs');
  const isError = isHandler && root === 'error' && second !== undefined && ERROR_FIELDS.has(second);
  if (segments === null || !(isKnown || isError)) return { kind: 'literal', value: text };
  return { kind: 'ref', source: text, segments };
}

function fromExplicit(value: JsonObject): InputValue | null {
  const [key, ...more] = Object.keys(value);
  if (key === undefined || more.length > 0) return null;
  const inner = value[key] ?? null;
  if (key === 'literal') return { kind: 'literal', value: inner };
  if (typeof inner !== 'string') return null;
  if (key === 'ref') return { kind: 'ref', source: inner, segments: parseReference(inner) ?? [] };
  return key === 'secret' ? { kind: 'secret', name: inner } : null;
}

/** A list or object without anything to resolve is one literal; one that holds `{"literal": x}` is not. */
function simplest(
  value: Extract<InputValue, { kind: 'array' | 'object' }>,
  source: Json[] | JsonObject,
): InputValue {
  const parts = value.kind === 'array' ? value.items : Object.values(value.fields);
  const sources = Object.values(source);
  const isPlain = parts.every((part, index) => part.kind === 'literal' && part.value === sources[index]);
  return isPlain ? { kind: 'literal', value: source } : value;
}
