/** Questions about the workflow as a whole: its limits, its inputs, what its steps share. */
import type { ContextFile, InputFile } from '../../definition/file.ts';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { Answers } from '../answers/answers.ts';
import { askFigures, type Figure } from '../ask/ask-figures.ts';
import { ask, type Choice, choose, type Flow } from '../question.ts';
import { typedLiteral, typeFault } from '../wiring.ts';
import { faultOf } from '../world.ts';

const LIMITS: readonly Figure[] = [
  { key: 'max_memory_mb', text: 'Memory of a run with all its steps (usual: 512 MB)', unit: 'mebibytes' },
  { key: 'max_cpu_percent', text: 'CPU, in percent of one core (usual: 100)', unit: 'percent' },
  { key: 'max_execution_time', text: 'Longest time of a run (usual: 1 h)', unit: 'seconds' },
  { key: 'max_processes', text: 'Processes at once (usual: 256)', unit: 'number' },
  { key: 'max_concurrent_steps', text: 'Steps at once (usual: 5)', unit: 'number' },
  { key: 'max_disk_mb', text: 'Temporary files of a run (usual: no limit)', unit: 'mebibytes' },
  { key: 'max_io_mb_per_s', text: 'Disk traffic in MiB a second (usual: no limit)', unit: 'number' },
];

export function* askLimits(id: string, answers: Answers): Flow<Answers> {
  const current = answers.limits as JsonObject;
  const isSet = Object.keys(current).length > 0;
  const usual: Choice = isSet
    ? { value: 'keep', name: `as they are: ${limitsText(current)}` }
    : {
        value: 'keep',
        name: 'the usual ones',
        description: '512 MB of memory, one core, one hour, 256 processes, 5 steps at once',
      };
  const chosen = yield* choose(id, 'Limits of a run', [
    usual,
    { value: 'set', name: 'set them', description: 'Each may be left empty.' },
  ]);
  if (chosen === 'keep') return answers;
  const withLimits = (limits: JsonObject): Answers => ({ ...answers, limits: limits as Answers['limits'] });
  return withLimits(yield* askFigures(id, LIMITS, current, (figures) => faultOf(whole(withLimits(figures)))));
}

/** Figures of limits in short, for a list of choices. */
export function limitsText(limits: JsonObject): string {
  return Object.entries(limits)
    .map(
      ([name, value]) =>
        `${name.replace(/^max_/, '').replaceAll('_', ' ')} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .join(', ');
}

const TYPES: readonly Choice[] = ['string', 'number', 'boolean', 'object', 'array', 'any'].map((type) => ({
  value: type,
  name: type,
}));

/** Asks for inputs and shared values until the person is done. */
export function* askValues(id: string, given: Answers): Flow<Answers> {
  let answers = given;
  for (let count = 0; ; count += 1) {
    const own = `${id}/${count}`;
    const names = Object.keys(answers.inputs).map((name) => ({
      value: `input:${name}`,
      name: `change the input ${name}`,
    }));
    const chosen = yield* choose(own, 'Does it need values?', [
      { value: 'done', name: count === 0 && names.length === 0 ? 'no' : 'no more' },
      {
        value: 'input',
        name: 'an input',
        description: 'Given by who starts a run: q workflow run … --input name=value',
      },
      {
        value: 'constant',
        name: 'a constant for all steps',
        description: 'In context.readonly: it never changes during a run.',
      },
      {
        value: 'variable',
        name: 'a value that steps may change',
        description: 'In context.mutable, such as a counter.',
      },
      ...names,
    ]);
    if (chosen === 'done') return answers;
    answers = chosen.startsWith('input')
      ? yield* askInput(own, answers, chosen.slice(6))
      : yield* askShared(own, answers, chosen);
  }
}

function* askInput(id: string, answers: Answers, changed: string): Flow<Answers> {
  const withInput = (name: string, input: InputFile): Answers => ({
    ...answers,
    inputs: { ...answers.inputs, [name]: input },
  });
  const name =
    changed === '' ? yield* askName(id, Object.keys(answers.inputs), (each) => withInput(each, {})) : changed;
  const before = (Object.hasOwn(answers.inputs, name) ? answers.inputs[name] : undefined) ?? {};
  const type = (yield* choose(`${id}/type`, `Type of ${name}`, TYPES, {
    standard: before.type ?? 'string',
  })) as NonNullable<InputFile['type']>;
  const { default: usual, required: _, ...rest } = before;
  const isRequired =
    (yield* choose(
      `${id}/required`,
      `Must a run give ${name}?`,
      [
        { value: 'yes', name: 'yes' },
        { value: 'no', name: 'no, there is a default' },
      ],
      { standard: before.required === true || usual === undefined ? 'yes' : 'no' },
    )) === 'yes';
  const base = { ...rest, type };
  const withDefault = (reply: string): InputFile => ({ ...base, default: typedLiteral(reply.trim(), type) });
  const input = isRequired
    ? { ...base, required: true }
    : withDefault(
        yield* ask(`${id}/default`, `Default of ${name}`, {
          standard: usual === undefined ? '' : typeof usual === 'string' ? usual : JSON.stringify(usual),
          check: (reply) =>
            typeFault(reply.trim(), type) ?? faultOf(whole(withInput(name, withDefault(reply)))),
        }),
      );
  const description = yield* ask(`${id}/description`, `What is ${name} for? (may be empty)`, {
    standard: before.description ?? '',
  });
  return withInput(name, { ...input, ...(description === '' ? {} : { description }) });
}

function* askShared(id: string, answers: Answers, kind: string): Flow<Answers> {
  const key = kind === 'constant' ? 'readonly' : 'mutable';
  const { context } = answers;
  const withValue = (name: string, value: Json): Answers => ({
    ...answers,
    context: { ...context, [key]: { ...context[key], [name]: value } } satisfies ContextFile,
  });
  const taken = [...Object.keys(context.readonly ?? {}), ...Object.keys(context.mutable ?? {})];
  const name = yield* askName(id, taken, (each) => withValue(each, null));
  const text = yield* ask(`${id}/value`, `Value of ${name} (text, or JSON such as 0, true, [])`, {
    check: (reply) => faultOf(whole(withValue(name, typedLiteral(reply.trim(), 'any')))),
  });
  return withValue(name, typedLiteral(text, 'any'));
}

function* askName(id: string, taken: readonly string[], made: (name: string) => Answers): Flow<string> {
  return yield* ask(`${id}/name`, 'Its name', {
    check: (reply) => {
      const name = reply.trim();
      if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name))
        return 'Write it with letters, digits, _ and -; it begins with a letter.';
      return taken.includes(name) ? `"${name}" is there already.` : faultOf(whole(made(name)));
    },
  });
}

/** With a step and a name where they are still to come: what is asked here is something else. */
function whole(answers: Answers): Answers {
  const steps =
    answers.steps.length > 0
      ? answers.steps
      : [{ id: 'a-step-to-come', type: 'skill' as const, skill: 'to-come' }];
  return { ...answers, steps, name: answers.name === '' ? 'unnamed' : answers.name };
}
