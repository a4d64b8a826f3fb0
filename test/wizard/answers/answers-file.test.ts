import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadWorkflow } from '../../../src/definition/load.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import { readAnswers } from '../../../src/wizard/answers/answers-file.ts';
import { definitionOf } from '../../../src/wizard/definition.ts';

const read = (value: unknown, purpose: string | null = null): ReturnType<typeof readAnswers> =>
  readAnswers(typeof value === 'string' ? value : JSON.stringify(value), 'answers.json', purpose);

function problemsOf(value: unknown): string[] {
  try {
    read(value);
  } catch (error) {
    if (!(error instanceof WorkflowError) || error.code !== 'ANSWERS_INVALID') throw error;
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

test('short answers make a whole workflow', async () => {
  const answers = read({
    purpose: 'Check the disks',
    schedule: 'every weekday',
    limits: { max_memory_mb: '1 GB', max_execution_time: '10 min', max_processes: 64 },
    inputs: { to: 'string', days: { type: 'number', default: 7 } },
    on_error: 'skip',
    steps: [
      { command: 'df -h {path}', inputs: { path: '/' }, timeout: '1 min' },
      {
        skill: 'send-mail',
        inputs: { text: { output: 'df-h-path.stdout' }, to: { input: 'to' }, raw: { literal: 'a.b' } },
        on_error: { strategy: 'retry', max_attempts: 2 },
      },
      { message: 'Go on?' },
      { condition: 'iteration < 2', steps: [{ prompt: 'Turn {n}', inputs: { n: 1 } }] },
      { condition: 'inputs.days > 3', then: [{ agent: 'triage', inputs: { task: 'x' } }] },
      { steps: [{ skill: 'send-mail' }, { skill: 'send-mail' }], wait_for: 'any' },
    ],
    more: { sandbox: 'best_effort' },
  });
  const definition = definitionOf(answers);
  assert.deepEqual(definition, {
    name: 'check-the-disks',
    version: '1.0.0',
    description: 'Check the disks',
    triggers: [{ type: 'schedule', cron: '0 9 * * 1-5' }],
    inputs: { to: { type: 'string', required: true }, days: { type: 'number', default: 7 } },
    steps: [
      { id: 'df-h-path', type: 'skill', skill: 'df-h-path', inputs: { path: '/' }, timeout: 60 },
      {
        id: 'send-mail',
        type: 'skill',
        skill: 'send-mail',
        inputs: { text: 'df-h-path.stdout', to: 'inputs.to', raw: { literal: 'a.b' } },
      },
      { id: 'approval', type: 'approval', message: 'Go on?' },
      {
        id: 'loop',
        type: 'loop',
        condition: 'iteration < 2',
        steps: [{ id: 'turn-n', type: 'skill', skill: 'turn-n', inputs: { n: 1 } }],
      },
      {
        id: 'conditional',
        type: 'conditional',
        condition: 'inputs.days > 3',
        then: [{ id: 'triage', type: 'agent', agent: 'triage', inputs: { task: 'x' } }],
      },
      {
        id: 'parallel',
        type: 'parallel',
        steps: [
          { id: 'send-mail-2', type: 'skill', skill: 'send-mail' },
          { id: 'send-mail-3', type: 'skill', skill: 'send-mail' },
        ],
        wait_for: 'any',
      },
    ],
    sandbox: 'best_effort',
    error_handling: { default: 'skip', per_step: { 'send-mail': { strategy: 'retry', max_attempts: 2 } } },
    resource_limits: { max_memory_mb: 1024, max_execution_time: 600, max_processes: 64 },
  });
  assert.deepEqual(Object.keys(answers.new_skills), ['df-h-path', 'turn-n']);
  const { workflow } = await loadWorkflow(JSON.stringify(definition));
  assert.notEqual(workflow, null);
});

test('every wrong place is named with its path', () => {
  assert.deepEqual(
    problemsOf({
      nam: 'x',
      purpose: 5,
      schedule: [7],
      limits: { max_memory_mb: 'much' },
      inputs: { a: 3 },
      steps: [
        { id: 'a' },
        'x',
        { command: '' },
        { skill: 's', inputs: { b: { output: 3 } }, timeout: 'long' },
        { steps: 5 },
      ],
    }),
    [
      '$.purpose must be a string, not the number 5',
      '$.inputs.a must be a type, or an object as in a workflow file',
      '$.schedule[0] must be a cron expression, "every hour|day|weekday|week|month", or an object with "cron"',
      '$.limits.max_memory_mb "much" is no figure: write it such as "2 GB" or "90 s"',
      '$.steps[0] has neither skill, agent, command, prompt, message nor steps: what does it do?',
      '$.steps[1] must be an object',
      '$.steps[2].command must be a text',
      '$.steps[3].inputs.b.output must be a name',
      '$.steps[3].timeout "long" is no time: write it such as 90 or "5 min"',
      '$.steps[4].steps must be a list of steps',
      '$.nam unknown key "nam"; did you mean "name"?',
    ],
  );
  assert.deepEqual(problemsOf({}), ['$.steps is missing: a workflow has at least one step']);
  assert.match(problemsOf('{')[0] ?? '', /^\$ is no JSON: /);
});

test('an output of a step that is not there is never taken for a text', () => {
  const [step] = read({
    steps: [{ skill: 's', inputs: { a: { output: 'gone.stdout' }, b: 'gone.stdout' } }],
  }).steps;
  assert.deepEqual(step?.['inputs'], { a: { ref: 'gone.stdout' }, b: 'gone.stdout' });
});

test('the example of the documents is a valid workflow', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'create.md'), 'utf8');
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const { workflow } = await loadWorkflow(JSON.stringify(definitionOf(read(example))));
  assert.deepEqual(
    workflow?.steps.map(({ id }) => id),
    ['disks', 'mail'],
  );
});

test('a purpose on the command line comes before that of the file', () => {
  assert.equal(read({ purpose: 'a', steps: [] }, 'Send mail now').name, 'send-mail-now');
});
