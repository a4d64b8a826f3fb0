import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepAt } from '../../src/engine/step-at.ts';
import { custom, loop, skill, workflow } from './support.ts';

const inner = loop('again', 'true', [skill('part')]);
const file = workflow(
  [
    skill('a', { undo: { id: 'take-back', step: skill('take-back') } }),
    loop('turns', 'true', [skill('b', { undo: { id: 'again', step: inner } })]),
  ],
  {
    perStep: { a: custom(skill('mend')) },
    rollback: { isEnabled: true, steps: [{ id: 'last', step: skill('last') }] },
  },
);

test('a path leads to its step, also where the path does not name it', () => {
  const found = (path: string): string | null => stepAt(file, path)?.id ?? null;
  assert.deepEqual(
    {
      plain: found('a'),
      turn: found('turns[2]/b'),
      handler: found('a!mend'),
      undo: found('a!undo'),
      undoOfTurn: found('turns~2[0]/b!undo'),
      inUndo: found('turns[0]/b!undo[3]/part'),
      rollback: found('!rollback/last'),
      noUndo: found('!rollback/last!undo'),
      unknown: found('undo'),
    },
    {
      plain: 'a',
      turn: 'b',
      handler: 'mend',
      undo: 'take-back',
      undoOfTurn: 'again',
      inUndo: 'part',
      rollback: 'last',
      noUndo: null,
      unknown: null,
    },
  );
});
