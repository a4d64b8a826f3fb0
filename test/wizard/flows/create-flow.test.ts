import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkflow } from '../../../src/definition/load.ts';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import { definitionOf } from '../../../src/wizard/definition.ts';
import { createFlow, type Finished } from '../../../src/wizard/flows/create-flow.ts';
import type { ChoiceQuestion, Question } from '../../../src/wizard/question.ts';
import type { World } from '../../../src/wizard/world.ts';
import { answered, skill, worldOf } from '../desk.ts';

const OPTIONS = { purpose: null, wantsDraft: false, file: null };

async function made(
  replies: Readonly<Record<string, string>>,
  world: Partial<World> = {},
): Promise<Finished> {
  const { value } = await answered(createFlow(worldOf(world), OPTIONS), replies);
  if (value === null) throw new Error('nothing was made');
  const { problems } = await loadWorkflow(JSON.stringify(definitionOf(value.answers)));
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return value;
}

test('a purpose, two skills that are wired, a schedule: the file has what was answered', async () => {
  const { answers, file, isRegistered, isRun } = await made({
    purpose: 'Report the disks by mail',
    name: 'disk-report',
    'values/0': 'input',
    'values/0/name': 'to',
    'values/0/required': 'no',
    'values/0/default': 'ops',
    'steps/0/kind': 'skill:disk-usage',
    'steps/0/inputs/path/literal': '/',
    'steps/0/inputs/mode': 'value:"exact"',
    'steps/0/outputs': 'report',
    'steps/0/timeout': '1.5 min',
    'steps/0/on-error': 'retry',
    'steps/0/on-error/max_attempts': '5',
    'steps/1/kind': 'skill:send-mail',
    'steps/1/inputs/more/0': 'new',
    'steps/1/inputs/more/0/name': 'text',
    'steps/1/inputs/text': 'output:disk-usage:report',
    'steps/1/inputs/more/1': 'new',
    'steps/1/inputs/more/1/name': 'to',
    'steps/1/inputs/to': 'input:to',
    limits: 'set',
    'limits/max_memory_mb': '1 GB',
    'limits/max_cpu_percent': '50%',
    'limits/max_disk_mb': '2 GB',
    'limits/max_io_mb_per_s': '80',
    'schedule/0': 'weekday',
    'schedule/0/time': '17:30',
  });
  assert.deepEqual(definitionOf(answers), {
    name: 'disk-report',
    version: '1.0.0',
    description: 'Report the disks by mail',
    triggers: [{ type: 'schedule', cron: '30 17 * * 1-5', timezone: 'Europe/Berlin' }],
    inputs: { to: { type: 'string', default: 'ops' } },
    steps: [
      {
        id: 'disk-usage',
        type: 'skill',
        skill: 'disk-usage',
        inputs: { path: '/', mode: 'exact' },
        outputs: ['report'],
        timeout: 90,
      },
      {
        id: 'send-mail',
        type: 'skill',
        skill: 'send-mail',
        inputs: { text: 'disk-usage.report', to: 'inputs.to' },
      },
    ],
    error_handling: { per_step: { 'disk-usage': { strategy: 'retry', max_attempts: 5 } } },
    resource_limits: { max_memory_mb: 1024, max_cpu_percent: 50, max_disk_mb: 2048, max_io_mb_per_s: 80 },
  });
  assert.deepEqual([file, isRegistered, isRun], ['/ws/.amazonq/workflows/disk-report.json', true, false]);
});

test('a command becomes a skill, by a shell only where it needs one', async () => {
  const { answers } = await made({
    purpose: 'Count files',
    'steps/0/kind': 'command:',
    'steps/0/command': 'ls -l {folder} | wc -l',
    'steps/0/new-skill': 'count-files',
    'steps/1/kind': 'command:',
    'steps/1/command': 'git log --oneline -n {count}',
    'steps/2/kind': 'prompt:',
    'steps/2/prompt': 'Sum up: {text}',
  });
  assert.deepEqual(answers.new_skills['count-files'], {
    type: 'code_inline',
    description: 'Runs: ls -l {folder} | wc -l',
    command: 'sh',
    args: ['-c', 'ls -l {folder} | wc -l'],
  });
  assert.deepEqual(answers.new_skills['git-log-oneline-n'], {
    type: 'code_inline',
    description: 'Runs: git log --oneline -n {count}',
    command: 'git',
    args: ['log', '--oneline', '-n', '{count}'],
  });
  assert.deepEqual(answers.new_skills['sum-up-text'], {
    type: 'prompt_inline',
    description: 'Fills: Sum up: {text}',
    prompt_template: 'Sum up: {text}',
  });
});

test('groups within each other, with conditions that were chosen', async () => {
  const { answers } = await made({
    purpose: 'x',
    'steps/0/kind': 'loop',
    'steps/0/steps/0/kind': 'skill:send-mail',
    'steps/0/steps/0/id': 'poll',
    'steps/0/steps/0/outputs': 'status',
    'steps/0/condition': 'output:poll:status',
    'steps/0/condition/test': 'is-not',
    'steps/0/condition/value': 'done',
    'steps/0/max_iterations': '10',
    'steps/1/kind': 'conditional',
    'steps/1/condition': 'output:poll:exit_code',
    'steps/1/condition/value': '0',
    'steps/1/then/0/kind': 'parallel',
    'steps/1/then/0/steps/0/kind': 'approval',
    'steps/1/then/0/steps/0/message': 'Go on with $' + '{{ poll.status }}?',
    'steps/1/then/0/wait-for': 'any',
    'steps/1/else/0/kind': 'agent:triage',
    'steps/1/else/0/inputs/task': 'template',
    'steps/1/else/0/inputs/task/text': 'Why $' + '{{ poll.status }}?',
    'steps/1/else/0/guardrails': 'set',
    'steps/1/else/0/guardrails/max_iterations': '5',
    'steps/1/else/0/guardrails/allowed_tools': 'fs_read, grep',
  });
  assert.deepEqual(definitionOf(answers)['steps'], [
    {
      id: 'repeat',
      type: 'loop',
      condition: 'poll.status != "done"',
      steps: [{ id: 'poll', type: 'skill', skill: 'send-mail', outputs: ['status'] }],
      max_iterations: 10,
    },
    {
      id: 'check',
      type: 'conditional',
      condition: 'poll.exit_code == 0',
      then: [
        {
          id: 'together',
          type: 'parallel',
          steps: [{ id: 'approve', type: 'approval', message: 'Go on with $' + '{{ poll.status }}?' }],
          wait_for: 'any',
        },
      ],
      else: [
        {
          id: 'triage',
          type: 'agent',
          agent: 'triage',
          guardrails: { max_iterations: 5, allowed_tools: ['fs_read', 'grep'] },
          inputs: { task: 'Why $' + '{{ poll.status }}?' },
        },
      ],
    },
  ] satisfies JsonObject[]);
});

test('skills and agents that fit the purpose come first, with their parameters', () => {
  const flow = createFlow(worldOf(), { ...OPTIONS, purpose: 'Sort the reports' });
  const kind = questionAt(flow, 'steps/0/kind', ['reports', 'done']);
  assert.deepEqual(
    kind.choices.map(({ value }) => value),
    [
      'agent:triage',
      'skill:disk-usage',
      'command:',
      'prompt:',
      'approval',
      'parallel',
      'conditional',
      'loop',
      'skill:http-fetch',
      'skill:send-mail',
    ],
  );
  assert.equal(
    kind.choices[1]?.description,
    'Reports how full the disks are · takes path: string, depth: number = 1, mode: enum = "fast"',
  );
});

test('a parameter whose name an earlier output has is wired to it, unless another is chosen', async () => {
  const { answers } = await made({
    purpose: 'x',
    'steps/0/kind': 'skill:send-mail',
    'steps/0/outputs': 'url',
    'steps/1/kind': 'skill:http-fetch',
  });
  assert.deepEqual(answers.steps[1]?.['inputs'], { url: 'send-mail.url' });
});

test('names are refused with the reason', async () => {
  const refused = async (id: string): Promise<string> => {
    const replies = {
      purpose: 'x',
      'steps/0/kind': 'skill:send-mail',
      'steps/0/id': 'a',
      'steps/1/kind': 'skill:send-mail',
      'steps/1/id': id,
    };
    return answered(createFlow(worldOf(), OPTIONS), replies).then(
      () => 'taken',
      (error: unknown) => String(error),
    );
  };
  assert.match(
    await refused('a'),
    /"a" is taken: names of steps and shared values are unique in a workflow\./,
  );
  assert.match(await refused('B c'), /Write it with lower-case letters, digits and inner hyphens\./);
  assert.match(await refused('3'), /A step begins with a letter/);
  assert.match(await refused('iteration'), /reserved word/);
});

test('a shared value is made, changed by a step and asked for by a loop', async () => {
  const { answers } = await made({
    purpose: 'x',
    'values/0': 'variable',
    'values/0/name': 'count',
    'values/0/value': '0',
    'steps/0/kind': 'loop',
    'steps/0/steps/0/kind': 'skill:send-mail',
    'steps/0/steps/0/set/0': 'set:count',
    'steps/0/steps/0/set/0/count': 'count + 1',
    'steps/0/condition': 'context:count',
    'steps/0/condition/test': 'less',
    'steps/0/condition/value': '3',
  });
  assert.deepEqual(answers.context, { mutable: { count: 0 } });
  assert.deepEqual(definitionOf(answers)['steps'], [
    {
      id: 'repeat',
      type: 'loop',
      condition: 'context.count < 3',
      steps: [{ id: 'send-mail', type: 'skill', skill: 'send-mail', set: { count: 'count + 1' } }],
    },
  ]);
});

test('a text that does not match the pattern of its parameter is refused', async () => {
  const strict = skill('strict', 'x', [{ name: 'code', isRequired: true, pattern: '^[A-Z]{3}$' }]);
  const typed = (code: string): Promise<Finished> =>
    made(
      { purpose: 'x', 'steps/0/kind': 'skill:strict', 'steps/0/inputs/code/literal': code },
      { skills: [strict] },
    );
  await assert.rejects(typed('abc'), /It takes a text that matches \^\[A-Z\]\{3\}\$\./);
  assert.deepEqual((await typed('ABC')).answers.steps[0]?.['inputs'], { code: 'ABC' });
});

test('a file that is there is replaced only after a yes, else another place is asked for', async () => {
  const there = new Set(['/ws/.amazonq/workflows/x.json']);
  const base = { purpose: 'x', 'steps/0/kind': 'skill:send-mail' };
  const exists = (file: string): boolean => there.has(file);
  const other = await made({ ...base, 'file/1': '', 'file/1/path': 'mine.json' }, { exists });
  assert.equal(other.file, '/ws/mine.json');
  const same = await made({ ...base, 'file/0/replace': 'yes' }, { exists });
  assert.equal(same.file, '/ws/.amazonq/workflows/x.json');
});

test('a draft of the model goes to the review, one that came to nothing to the questions with the reason', async () => {
  const definition = {
    name: 'other',
    version: '2.0.0',
    steps: [{ id: 's', type: 'skill', skill: 'send-mail' }],
  };
  const drafting = (drafted: object): Partial<World> => ({
    model: 'mock',
    draft: () => Promise.resolve(JSON.stringify(drafted)),
  });
  const good = await made({ purpose: 'Send it', how: 'draft' }, drafting({ definition, why: null }));
  assert.deepEqual(definitionOf(good.answers), { ...definition, name: 'send-it' });
  const bad = await made(
    { purpose: 'x', how: 'draft', 'steps/0/kind': 'skill:send-mail' },
    drafting({ definition: null, why: 'HTTP 500' }),
  );
  assert.equal(bad.answers.steps.length, 1);
  const flow = createFlow(worldOf(drafting({ definition: null, why: 'HTTP 500' })), OPTIONS);
  assert.equal(
    await questionAt(flow, 'no-draft', ['x', 'x', 'draft', '{"definition":null,"why":"HTTP 500"}']).note?.(),
    'There is no draft: HTTP 500',
  );
});

/** The question that comes after these replies. */
function questionAt(
  flow: Generator<Question, unknown, string>,
  id: string,
  replies: readonly string[],
): ChoiceQuestion {
  let next = flow.next();
  for (const reply of replies) next = flow.next(reply);
  if (next.done === true || next.value.id !== id || next.value.kind !== 'choice')
    throw new Error(`no question ${id}`);
  return next.value;
}
