import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { placeOf } from '../../../src/cli/live/place.ts';
import { planOf } from '../../../src/cli/live/plan.ts';
import { treeRows } from '../../../src/cli/live/tree.ts';
import type { StepDocument } from '../../../src/protocol/control.ts';
import { step } from './steps.ts';

const DEFINITION = {
  steps: [
    { id: 'fetch', type: 'skill', skill: 'fetch' },
    {
      id: 'checks',
      type: 'parallel',
      steps: [
        { id: 'lint', type: 'skill', skill: 'lint' },
        { id: 'unit', type: 'skill', skill: 'unit' },
      ],
    },
    {
      id: 'mend',
      type: 'loop',
      condition: 'true',
      max_iterations: 5,
      steps: [
        { id: 'try', type: 'agent', agent: 'mender' },
        { id: 'test', type: 'skill', skill: 'unit' },
      ],
    },
    {
      id: 'which',
      type: 'conditional',
      condition: 'true',
      then: [
        { id: 'ship', type: 'skill', skill: 'ship' },
        { id: 'tell', type: 'skill', skill: 'tell' },
      ],
      else: [{ id: 'wait', type: 'skill', skill: 'wait' }],
    },
  ],
};

function outline(...steps: readonly StepDocument[]): string[] {
  return treeRows(steps, planOf(DEFINITION)).map(
    ({ name, depth, status }) => `${'  '.repeat(depth)}${name} ${status}`,
  );
}

describe('the place of a step', () => {
  for (const [path, place] of [
    ['a', { parent: null, name: 'a', attempt: 1, turn: null }],
    ['a/b', { parent: 'a', name: 'b', attempt: 1, turn: null }],
    ['a~2/b', { parent: 'a', name: 'b', attempt: 2, turn: null }],
    ['a[3]/b', { parent: 'a', name: 'b', attempt: 1, turn: 3 }],
    ['a~2[3]/b[0]/c', { parent: 'a~2[3]/b', name: 'c', attempt: 1, turn: 0 }],
    ['a!undo', { parent: 'a', name: 'undo', attempt: 1, turn: null }],
    ['a/b!undo', { parent: 'a/b', name: 'undo', attempt: 1, turn: null }],
    ['!rollback/clean', { parent: '!rollback', name: 'clean', attempt: 1, turn: null }],
  ] as const)
    test(path, () => assert.deepEqual(placeOf(path), place));
});

describe('the tree of a run', () => {
  test('before anything began it is the steps at the top, all to come', () => {
    assert.deepEqual(outline(), ['fetch pending', 'checks pending', 'mend pending', 'which pending']);
  });

  test('a group that has begun shows what is to come in it', () => {
    assert.deepEqual(
      outline(step('fetch', 'completed'), step('checks', 'running'), step('checks/unit', 'running')),
      [
        'fetch completed',
        'checks running',
        '  lint pending',
        '  unit running',
        'mend pending',
        'which pending',
      ],
    );
  });

  test('a loop shows its latest turn', () => {
    const steps = [
      step('mend', 'running'),
      step('mend[0]/try', 'completed'),
      step('mend[0]/test', 'completed'),
      step('mend[1]/try', 'running'),
    ];
    assert.deepEqual(outline(...steps).slice(2, 5), ['mend running', '  try running', '  test pending']);
    const row = treeRows(steps, planOf(DEFINITION)).find(({ name }) => name === 'mend');
    assert.deepEqual([row?.turn, row?.planned?.most], [1, 5]);
    assert.equal(
      treeRows(steps, planOf(DEFINITION)).find(({ name }) => name === 'test')?.path,
      'mend[1]/test',
    );
  });

  test('a group that is tried again shows its latest attempt, also when an older one is heard of late', () => {
    const rows = outline(
      step('checks', 'running', { attempts: 2 }),
      step('checks/lint', 'failed'),
      step('checks~2/lint', 'running'),
      step('checks/unit', 'cancelled'),
    );
    assert.deepEqual(rows.slice(1, 4), ['checks running', '  lint running', '  unit pending']);
  });

  test('a conditional shows the branch that was taken only', () => {
    assert.deepEqual(outline(step('which', 'running')).slice(3), ['which running']);
    assert.deepEqual(outline(step('which', 'running'), step('which/ship', 'running')).slice(3), [
      'which running',
      '  ship running',
      '  tell pending',
    ]);
  });

  test('what a group never came to is not shown when it has ended', () => {
    assert.deepEqual(outline(step('which', 'failed'), step('which/ship', 'failed')).slice(3), [
      'which failed',
      '  ship failed',
    ]);
  });

  test('undo steps stand under their step, those of the rollback at the end', () => {
    assert.deepEqual(
      outline(step('fetch', 'completed'), step('fetch!undo', 'running'), step('!rollback/clean', 'running')),
      [
        'fetch completed',
        '  undo running',
        'checks pending',
        'mend pending',
        'which pending',
        'rollback running',
        '  clean running',
      ],
    );
  });

  test('without a definition there is what was heard of', () => {
    assert.deepEqual(
      treeRows([step('a', 'running'), step('a/b', 'running')], []).map(({ path, depth }) => [path, depth]),
      [
        ['a', 0],
        ['a/b', 1],
      ],
    );
  });
});
