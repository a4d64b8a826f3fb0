import { isRecord } from './file.ts';
import { isTemplate, parseReference } from './reference-syntax.ts';
import type { InputValue, Json, JsonObject } from './workflow.ts';

/** Which first segments make a plain string a reference. */
export type IsRoot = (segment: string) => boolean;

/**
 * The form of a value of `inputs`. An array or object without references inside is one literal. Explicit forms that
 * are not well-formed stay literals here; `check-inputs` reports them. Recursion is bounded by the parser's nesting.
 */
export function inputValue(value: Json, isRoot: IsRoot): InputValue {
  if (typeof value === 'string') return stringValue(value, isRoot);
  if (Array.isArray(value)) {
    const items = value.map((item) => inputValue(item, isRoot));
    return items.every((item) => item.kind === 'literal')
      ? { kind: 'literal', value }
      : { kind: 'array', items };
  }
  if (!isRecord(value)) return { kind: 'literal', value };
  const form = explicitForm(value);
  if (form?.key === 'literal') return { kind: 'literal', value: form.value };
  if (form?.key === 'secret' && typeof form.value === 'string') return { kind: 'secret', name: form.value };
  if (form?.key === 'ref' && typeof form.value === 'string') {
    const segments = parseReference(form.value);
    if (segments !== null) return { kind: 'ref', source: form.value, segments };
  }
  const fields = inputValues(value, isRoot);
  const isLiteral = Object.values(fields).every((field) => field.kind === 'literal');
  return isLiteral ? { kind: 'literal', value } : { kind: 'object', fields };
}

/** The forms of all values of an object. */
export function inputValues(values: JsonObject, isRoot: IsRoot): Record<string, InputValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, inputValue(value, isRoot)]));
}

const FORMS = ['ref', 'literal', 'secret'] as const;

/** The key and value of `{"ref": …}`, `{"literal": …}` or `{"secret": …}` with no key beside it; else null. */
export function explicitForm(
  value: JsonObject,
): { readonly key: (typeof FORMS)[number]; readonly value: Json } | null {
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return null;
  const key = FORMS.find((name) => name === entry[0]);
  return key === undefined ? null : { key, value: entry[1] };
}

function stringValue(text: string, isRoot: IsRoot): InputValue {
  if (isTemplate(text)) return { kind: 'template', source: text };
  const segments = parseReference(text);
  if (segments === null || !isRoot(segments[0])) return { kind: 'literal', value: text };
  return { kind: 'ref', source: text, segments };
}

/** Which first segments are references for a step: ids of steps, `context`, `inputs`, and `error` in handlers. */
export function rootsFor(stepIds: ReadonlySet<string>, place: 'flow' | 'handler'): IsRoot {
  return (segment) =>
    segment === 'context' ||
    segment === 'inputs' ||
    (segment === 'error' && place === 'handler') ||
    stepIds.has(segment);
}
