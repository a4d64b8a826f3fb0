/** Asks where a value comes from: data is wired by choosing. */
import { printable } from '../../cli/text/style.ts';
import type { Json } from '../../definition/workflow.ts';
import type { Answers, StepAnswer } from '../answers/answers.ts';
import { outputsOf } from '../outputs.ts';
import { ask, type Choice, choose, type Flow } from '../question.ts';
import { fileValue, type Source, typedLiteral, typeFault, valueText } from '../wiring.ts';

export interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: Json | undefined;
  readonly values: readonly Json[] | null;
  /** Looked for in a text that is typed (RE2). */
  readonly pattern: string | null;
  readonly description: string;
}

export interface ValueScope {
  readonly answers: Answers;
  readonly earlier: readonly StepAnswer[];
  /** Of all steps, this one too. */
  readonly ids: ReadonlySet<string>;
  /** What is wrong with the file when the parameter has this value. */
  readonly fault: (value: Json) => Promise<string | null>;
}

/** The value of a parameter as the file has it; undefined when it is left out. */
export function* askValue(
  id: string,
  parameter: Parameter,
  scope: ValueScope,
  current: Json | undefined,
): Flow<Json | undefined> {
  const choices = sourceChoices(parameter, scope, current);
  const chosen = yield* choose(id, `${parameter.name}: where does it come from?`, choices, {
    standard: usual(parameter, choices, current),
    note: () => printable(parameterText(parameter)),
    check: (reply) => {
      const source = sourceOf(reply);
      return source === null ? null : scope.fault(fileValue(source, scope.ids));
    },
  });
  if (chosen === 'keep') return current;
  if (chosen === 'omit') return undefined;
  if (chosen.startsWith('value:'))
    return fileValue({ kind: 'literal', value: JSON.parse(chosen.slice(6)) as Json }, scope.ids);
  const source = sourceOf(chosen);
  if (source !== null) return fileValue(source, scope.ids);
  switch (chosen) {
    case 'template':
      return yield* ask(`${id}/text`, `${parameter.name}: text, with values as \${{ step.field }}`, {
        check: (reply) =>
          reply.includes('${{') ? scope.fault(reply.trim()) : 'Write a value into it: ${{ inputs.name }}.',
      });
    case 'field':
      return yield* askField(id, scope);
    case 'secret': {
      const name = yield* ask(
        `${id}/secret`,
        `Name of the secret (a file in the folder secrets of the state folder)`,
        {
          check: (reply) =>
            reply.trim() === '' ? 'It needs a name.' : scope.fault({ secret: reply.trim() }),
        },
      );
      return { secret: name };
    }
    default:
      return yield* askLiteral(id, parameter, scope);
  }
}

function* askLiteral(
  id: string,
  { name, type, pattern, default: usualValue }: Parameter,
  scope: ValueScope,
): Flow<Json> {
  const standard =
    usualValue === undefined || usualValue === null
      ? ''
      : typeof usualValue === 'string'
        ? usualValue
        : JSON.stringify(usualValue);
  const asWritten = (reply: string): Json =>
    fileValue({ kind: 'literal', value: typedLiteral(reply.trim(), type) }, scope.ids);
  const reply = yield* ask(`${id}/literal`, `${name}${type === 'any' ? '' : ` (${type})`}:`, {
    standard,
    check: async (text) =>
      typeFault(text.trim(), type) ??
      (await patternFault(text.trim(), pattern)) ??
      scope.fault(asWritten(text)),
  });
  return asWritten(reply);
}

/** A field that no one declared: steps may print any. */
function* askField(id: string, { earlier, ids, fault }: ValueScope): Flow<Json> {
  const step = yield* choose(
    `${id}/step`,
    'Of which step?',
    earlier.map((each) => ({ value: each.id, name: each.id, description: `${each.type} step` })),
  );
  const sourceFor = (field: string): Source => ({ kind: 'output', step, field: field === '' ? null : field });
  const field = yield* ask(`${id}/field`, 'Which field? (empty: the whole result)', {
    check: (reply) =>
      /["\\\]]/.test(reply)
        ? 'A name of a field has no quotes, brackets or backslashes.'
        : fault(fileValue(sourceFor(reply.trim()), ids)),
  });
  return fileValue(sourceFor(field), ids);
}

function sourceChoices(parameter: Parameter, scope: ValueScope, current: Json | undefined): Choice[] {
  const { answers, earlier } = scope;
  const { isRequired, values, default: usualValue, type } = parameter;
  const isText = type === 'string' || type === 'any';
  return [
    ...(current === undefined ? [] : [{ value: 'keep', name: `as it is: ${valueText(current)}` }]),
    ...(isRequired
      ? []
      : [
          {
            value: 'omit',
            name:
              usualValue === undefined ? 'leave it out' : `leave it out: ${JSON.stringify(usualValue)} holds`,
          },
        ]),
    ...(values === null
      ? [{ value: 'literal', name: 'a value that I type' }]
      : values.map((value) => ({ value: `value:${JSON.stringify(value)}`, name: JSON.stringify(value) }))),
    ...Object.entries(answers.inputs).map(([name, input]) => ({
      value: `input:${name}`,
      name: `input ${name}`,
      description: input.description ?? `an input of the workflow (${input.type ?? 'any'})`,
    })),
    ...earlier.flatMap((step) =>
      outputsOf(step, answers.new_skills).map((field) => ({
        value: `output:${step.id}:${field}`,
        name: `${step.id}.${field}`,
        description: `output of the step ${step.id}`,
      })),
    ),
    ...[...Object.keys(answers.context.readonly ?? {}), ...Object.keys(answers.context.mutable ?? {})].map(
      (name) => ({
        value: `context:${name}`,
        name: `context ${name}`,
        description: 'a value that the steps share',
      }),
    ),
    ...(earlier.length === 0 ? [] : [{ value: 'field', name: 'another field of an earlier step' }]),
    ...(isText && values === null ? [{ value: 'template', name: 'a text with values in it' }] : []),
    { value: 'secret', name: 'a secret', description: 'kept out of logs, outputs and this file' },
  ];
}

function usual({ name }: Parameter, choices: readonly Choice[], current: Json | undefined): string {
  if (current !== undefined) return 'keep';
  const namesake = choices.find(
    ({ value }) => /^(?:input|output|context):/.test(value) && value.split(':').at(-1) === name,
  );
  return namesake?.value ?? choices[0]?.value ?? '';
}

/** What a choice names; null for one that asks on. */
function sourceOf(choice: string): Source | null {
  const [kind = '', name = '', ...rest] = choice.split(':');
  switch (kind) {
    case 'input':
      return { kind: 'input', name };
    case 'context':
      return { kind: 'context', name };
    case 'output':
      return { kind: 'output', step: name, field: rest.join(':') };
    default:
      return null;
  }
}

/** Why a text is not what a pattern asks for; null when it is, and when the pattern is none: a run says so. */
async function patternFault(text: string, pattern: string | null): Promise<string | null> {
  if (pattern === null) return null;
  const { loadPatternTest } = await import('../../skills/patterns.ts');
  const isMatch = await loadPatternTest();
  try {
    return isMatch(pattern, text) ? null : `It takes a text that matches ${pattern}.`;
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

function parameterText({ name, type, isRequired, default: value, values, description }: Parameter): string {
  const kind = values === null ? type : values.map((each) => JSON.stringify(each)).join(' | ');
  const need = isRequired
    ? 'required'
    : value === undefined
      ? 'optional'
      : `default ${JSON.stringify(value)}`;
  return `  ${name}: ${kind}, ${need}${description === '' ? '' : `; ${description}`}`;
}
