import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepAnswer } from '../../../src/wizard/answers/answers.ts';
import { askSet } from '../../../src/wizard/ask/ask-set.ts';
import type { Question } from '../../../src/wizard/question.ts';

test('a shared value may be called as what every object has', () => {
  for (const name of ['constructor', 'toString']) {
    const step = { id: 'a', type: 'skill', skill: 'say' } as StepAnswer;
    const flow = askSet('s', step, { mutable: { [name]: 0 } }, () => Promise.resolve(null));
    const which = flow.next().value as Question;
    assert.ok(which.kind === 'choice');
    assert.deepEqual(
      which.choices.map((choice) => choice.name),
      ['no', `set ${name}`],
    );
    const what = flow.next(`set:${name}`).value as Question;
    assert.ok(what.kind !== 'work');
    assert.equal(what.standard, '');
  }
});
