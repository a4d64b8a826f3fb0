import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { WorkflowSummary } from '../../protocol/workflow-control.ts';
import { cutToWidth } from './display-width.ts';
import type { Screen } from './screen.ts';
import { printable } from './style.ts';
import { table } from './table.ts';
import { wrapped } from './wrap.ts';

/** A definition as an outline: head, inputs, limits, the tree of steps. */
export function definitionText(
  shown: WorkflowSummary & { definition: Json },
  { style, width }: Screen,
): string {
  const definition = asObject(shown.definition);
  const part = (title: string, rows: readonly (readonly string[])[]): string[] =>
    rows.length === 0 ? [] : ['', style.dim(title), ...aligned(rows, width)];
  const inputs = Object.entries(asObject(definition['inputs'])).map(([name, raw]) => {
    const input = asObject(raw);
    const rest =
      input['required'] === true ? 'required' : `default ${JSON.stringify(input['default'] ?? null)}`;
    return [`  ${printable(name)}`, style.dim(printable(`${text(input['type'] ?? 'any')}, ${rest}`))];
  });
  const limits = Object.entries(asObject(definition['resource_limits']));
  return [
    cutToWidth(
      `${style.bold(shown.name)} ${shown.version}  ${style.dim(`${shown.source}: ${shown.file}`)}`,
      width,
    ),
    ...(shown.description === '' ? [] : wrapped('', printable(shown.description), width)),
    ...part('inputs', inputs),
    ...part('steps', stepRows(definition['steps'], 1)),
    ...part(
      'limits',
      limits.map(([name, value]) => [`  ${name}`, text(value)]),
    ),
  ].join('\n');
}

function aligned([first = [], ...rest]: readonly (readonly string[])[], width: number): string[] {
  return table(first, rest, width).split('\n');
}

function stepRows(steps: Json | undefined, depth: number): (readonly string[])[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((raw) => {
    const step = asObject(raw);
    const what = step['skill'] ?? step['agent'] ?? step['condition'] ?? step['wait_for'] ?? '';
    const label = `${'  '.repeat(depth)}${printable(text(step['id']))}`;
    return [
      [label, text(step['type']), printable(text(what))],
      ...stepRows(step['steps'], depth + 1),
      ...stepRows(step['then'], depth + 1),
      ...stepRows(step['else'], depth + 1),
    ];
  });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
