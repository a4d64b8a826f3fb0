/**
 * Which steps a step names. Every instance process imports this, with or without expressions: it reads them with a
 * small scanner and never loads the expression language.
 */
import type { InputValue, Step } from './workflow.ts';

interface Scope {
  readonly stepIds: ReadonlySet<string>;
}

const known = new WeakMap<
  Step,
  { readonly stepIds: ReadonlySet<string>; readonly found: readonly string[] }
>();

/** Step ids that the step's own inputs, condition, templates and `set` name, each once; not those of inner steps. */
export function stepReferences(step: Step, { stepIds }: Scope): readonly string[] {
  const remembered = known.get(step);
  if (remembered?.stepIds === stepIds) return remembered.found;
  const ids = new Set<string>();
  const scan = (source: string): void => scanExpression(source, stepIds, ids);
  if (step.type === 'conditional' || step.type === 'loop') scan(step.condition);
  if (step.type === 'skill' || step.type === 'agent') {
    for (const value of Object.values(step.inputs)) scanValue(value, stepIds, ids);
  }
  for (const source of Object.values(step.set)) scan(source);
  const found = [...ids];
  known.set(step, { stepIds, found });
  return found;
}

function scanValue(value: InputValue, stepIds: ReadonlySet<string>, ids: Set<string>): void {
  switch (value.kind) {
    case 'ref': {
      const first = String(value.segments[0]);
      if (stepIds.has(first)) ids.add(first);
      return;
    }
    case 'template':
      for (const source of templateExpressions(value.source)) scanExpression(source, stepIds, ids);
      return;
    case 'array':
      for (const item of value.items) scanValue(item, stepIds, ids);
      return;
    case 'object':
      for (const item of Object.values(value.fields)) scanValue(item, stepIds, ids);
      return;
    case 'literal':
    case 'secret':
      return;
  }
}

/** The expressions of a template, each from its opening to the next one: a superset would only wait longer. */
function templateExpressions(source: string): readonly string[] {
  return source
    .replaceAll('$${{', ' ')
    .split('${{')
    .slice(1)
    .map((part) => part.slice(0, closeOf(part)));
}

/** The `}}` that is neither in a string nor closes maps of the expression. */
function closeOf(part: string): number {
  let depth = 0;
  for (const { 0: token, index } of part.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}]/gs)) {
    if (token === '{') depth++;
    else if (token === '}' && depth-- === 0) return index;
  }
  return part.length;
}

/** Strings, comments and words with hyphens, with the dot before one that makes it a field. */
const TOKEN =
  /\/\/[^\n]*|[rRbB]{0,2}(?:"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\.\s*)?([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)/gs;
const BY_NAME = /steps\s*\[\s*(?:"([^"]*)"|'([^']*)')\s*\]/g;

function scanExpression(source: string, stepIds: ReadonlySet<string>, ids: Set<string>): void {
  for (const [, dot, word] of source.matchAll(TOKEN)) {
    if (word !== undefined) scanWord(word, dot !== undefined, stepIds, ids);
  }
  for (const [, double, single] of source.matchAll(BY_NAME)) {
    const id = double ?? single ?? '';
    if (stepIds.has(id)) ids.add(id);
  }
}

/** Takes a run of words with hyphens apart, the longest id first: `a-b-c` may be the step `a-b` minus `c`. */
function scanWord(word: string, isField: boolean, stepIds: ReadonlySet<string>, ids: Set<string>): void {
  const parts = word.split('-');
  let start = isField ? 1 : 0;
  while (start < parts.length) {
    let end = parts.length;
    while (end > start && !stepIds.has(parts.slice(start, end).join('-'))) end--;
    if (end > start) ids.add(parts.slice(start, end).join('-'));
    start = Math.max(end, start + 1);
  }
}
