import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadWorkflow } from '../../src/definition/load.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { flattened } from '../../src/wizard/answers/answers.ts';
import { answersOf, definitionOf } from '../../src/wizard/definition.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('every example is read into answers and written again as it was', async () => {
  const files = globSync('examples/*.json', { cwd: ROOT });
  let count = 0;
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const { workflow } = await loadWorkflow(text);
    if (workflow === null) continue;
    count += 1;
    const definition = JSON.parse(text) as JsonObject;
    assert.deepEqual(definitionOf(answersOf(definition)), definition, file);
  }
  assert.ok(count >= 8, `only ${count} examples are workflows`);
});

test('what no question is about is kept, and policies stand with their steps', () => {
  const definition: JsonObject = {
    $schema: 'x',
    name: 'a',
    version: '1.2.3',
    triggers: [{ type: 'manual' }, { type: 'schedule', cron: '0 9 * * *', jitter: 5 }],
    steps: [
      {
        id: 'both',
        type: 'parallel',
        steps: [
          { id: 'one', type: 'skill', skill: 'x', writes: ['n'], sandbox: 'required', on_resume: 'fail' },
        ],
      },
    ],
    handlers: [{ id: 'undo-it', type: 'skill', skill: 'y' }],
    sandbox: 'best_effort',
    error_handling: {
      default: 'skip',
      per_step: { one: { strategy: 'retry', retry_on: ['A'] }, 'undo-it': 'skip' },
      rollback: { enabled: false },
    },
  };
  const answers = answersOf(definition);
  const inner = flattened(answers.steps).find(({ id }) => id === 'one');
  assert.deepEqual(inner?.['on_error'], { strategy: 'retry', retry_on: ['A'] });
  assert.deepEqual(answers.kept, {
    $schema: 'x',
    handlers: [{ id: 'undo-it', type: 'skill', skill: 'y' }],
    sandbox: 'best_effort',
    error_handling: { per_step: { 'undo-it': 'skip' }, rollback: { enabled: false } },
  });
  assert.deepEqual(definitionOf(answers), definition);
  assert.deepEqual(Object.keys(definitionOf(answers))[0], '$schema');
});
