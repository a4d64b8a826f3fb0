import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDraft } from '../../src/wizard/model-draft.ts';

const STEPS = [{ id: 'a', type: 'skill', skill: 's' }];

test('a draft is taken alone or in a block of code, under the name that was asked for', async () => {
  const draft = { name: 'Bad Name!', steps: STEPS };
  const expected = { definition: { version: '1.0.0', name: 'mine', steps: STEPS }, why: null };
  assert.deepEqual(await readDraft(JSON.stringify(draft), 'mine'), expected);
  assert.deepEqual(
    await readDraft(`Here:\n\`\`\`json\n${JSON.stringify(draft)}\n\`\`\`\nDone.`, 'mine'),
    expected,
  );
});

test('what is no valid workflow is none, with the first reason', async () => {
  const why = async (text: string): Promise<string | null> => (await readDraft(text, 'mine')).why;
  assert.equal(await why('I cannot do that.'), 'the model answered no JSON object');
  assert.equal(await why('[1]'), 'the model answered no JSON object');
  assert.equal(await why('{}'), 'what the model wrote is not valid: $.steps: "steps" is missing');
  assert.match(
    (await why(JSON.stringify({ steps: [{ ...STEPS[0], inputs: { x: { ref: 'b.c' } } }] }))) ?? '',
    /^what the model wrote is not valid: \$\.steps\[0\]\.inputs\.x/,
  );
});
