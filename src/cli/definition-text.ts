import type { Json, JsonObject } from '../definition/workflow.ts';
import type { WorkflowSummary } from '../protocol/control.ts';
import { printable, styleFor } from './style.ts';

/** A definition as an outline: head, inputs, limits, the tree of steps. */
export function definitionText(shown: WorkflowSummary & { definition: Json }): string {
  const style = styleFor(process.stdout);
  const definition = asObject(shown.definition);
  const lines = [
    `${style.bold(shown.name)} ${shown.version}  ${style.dim(`${shown.source}: ${shown.file}`)}`,
    ...(shown.description === '' ? [] : [printable(shown.description)]),
  ];
  const inputs = Object.entries(asObject(definition['inputs']));
  if (inputs.length > 0) lines.push('', style.dim('inputs'));
  for (const [name, raw] of inputs) {
    const input = asObject(raw);
    const rest =
      input['required'] === true ? 'required' : `default ${JSON.stringify(input['default'] ?? null)}`;
    lines.push(`  ${name}  ${style.dim(`${text(input['type'] ?? 'any')}, ${rest}`)}`);
  }
  lines.push('', style.dim('steps'), ...stepLines(definition['steps'], 1));
  const limits = Object.entries(asObject(definition['resource_limits']));
  if (limits.length > 0)
    lines.push('', style.dim('limits'), ...limits.map(([name, value]) => `  ${name}  ${text(value)}`));
  return lines.join('\n');
}

function stepLines(steps: Json | undefined, depth: number): string[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((raw) => {
    const step = asObject(raw);
    const what = step['skill'] ?? step['agent'] ?? step['condition'] ?? step['wait_for'] ?? '';
    const line =
      `${'  '.repeat(depth)}${text(step['id'])}  ${text(step['type'])} ${printable(text(what))}`.trimEnd();
    return [
      line,
      ...stepLines(step['steps'], depth + 1),
      ...stepLines(step['then'], depth + 1),
      ...stepLines(step['else'], depth + 1),
    ];
  });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
