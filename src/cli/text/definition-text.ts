import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { WorkflowSummary } from '../../protocol/workflow-control.ts';
import { cutToWidth } from './display-width.ts';
import type { Screen } from './screen.ts';
import { printable } from './style.ts';
import { table } from './table.ts';
import { wrapped } from './wrap.ts';

/** A definition as an outline: head, schedules, inputs, the tree of steps, handlers, what errors lead to, limits. */
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
      input['required'] === true && input['default'] === undefined
        ? 'required'
        : `default ${JSON.stringify(input['default'] ?? null)}`;
    const what = printable(text(input['description'] ?? ''));
    return [`  ${printable(name)}`, style.dim(printable(`${text(input['type'] ?? 'any')}, ${rest}`)), what];
  });
  const limits = Object.entries(asObject(definition['resource_limits']));
  return [
    cutToWidth(
      `${style.bold(shown.name)} ${shown.version}  ${style.dim(`${shown.source}: ${shown.file}`)}`,
      width,
    ),
    ...(shown.description === '' ? [] : wrapped('', printable(shown.description), width)),
    ...part('schedules', scheduleRows(definition['triggers'])),
    ...part('inputs', inputs),
    ...part('steps', stepRows(definition['steps'], 1)),
    ...part('handlers', stepRows(definition['handlers'], 1)),
    ...part('when steps fail', failureRows(asObject(definition['error_handling']))),
    ...part(
      'limits',
      limits.map(([name, value]) => [`  ${name}`, text(value)]),
    ),
  ].join('\n');
}

function scheduleRows(triggers: Json | undefined): (readonly string[])[] {
  if (!Array.isArray(triggers)) return [];
  return triggers
    .map(asObject)
    .filter(({ type }) => type === 'schedule')
    .map(({ cron, timezone }) => [`  ${printable(text(cron))}`, printable(text(timezone ?? 'UTC'))]);
}

function failureRows({ default: others, per_step: perStep }: JsonObject): (readonly string[])[] {
  const rows = Object.entries(asObject(perStep)).map(([id, policy]) => [
    `  ${printable(id)}`,
    policyText(policy),
  ]);
  return others === undefined
    ? rows
    : [...rows, [rows.length === 0 ? '  any' : '  others', policyText(others)]];
}

/** `retry 3 times, then custom: alarm`. */
function policyText(policy: Json | undefined): string {
  if (typeof policy === 'string') return policy;
  const { strategy = 'skip', max_attempts: attempts = 3, then, custom_handler: handler } = asObject(policy);
  const first = strategy === 'retry' ? `retry, ${text(attempts)} attempts` : text(strategy);
  const name = typeof handler === 'string' ? handler : asObject(handler)['id'];
  return printable(
    `${first}${then === undefined ? '' : `, then ${text(then)}`}${name === undefined ? '' : `: ${text(name)}`}`,
  );
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
