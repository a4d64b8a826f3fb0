import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ModelPart } from '../../../src/agents/model/model.ts';
import { collectAnswer } from '../../../src/agents/native/turn.ts';
import { USAGE } from '../fake-world.ts';

async function* streamed(parts: readonly ModelPart[], reason: string): AsyncGenerator<ModelPart> {
  yield* parts;
  yield { type: 'finish', reason, isWhole: true, usage: USAGE };
}

const callsOf = async (parts: readonly ModelPart[], reason = 'tool-calls') =>
  (await collectAnswer(streamed(parts, reason), 1)).calls.map(
    ({ args, malformed }) => malformed ?? JSON.stringify(args),
  );

const begun = (id: string): ModelPart => ({ type: 'call-begun', id, name: 'one' });
const delta = (id: string, text: string): ModelPart => ({ type: 'call-delta', id, delta: text });
const whole = (id: string, input: string): ModelPart => ({ type: 'call', id, name: 'one', input });
const pieces = (id: string, input: string): ModelPart[] => [begun(id), delta(id, input), whole(id, input)];

describe('two calls under one id are two calls', () => {
  const both = ['{"n":1}', '{"n":2}'];

  test('one after the other, with and without their pieces', async () => {
    assert.deepEqual(await callsOf([...pieces('a', '{"n":1}'), ...pieces('a', '{"n":2}')]), both);
    assert.deepEqual(await callsOf([whole('a', '{"n":1}'), whole('a', '{"n":2}')]), both);
    assert.deepEqual(await callsOf([...pieces('a', '{"n":1}'), whole('a', '{"n":2}')]), both);
  });

  test('a beginning that comes twice begins one', async () => {
    assert.deepEqual(await callsOf([begun('a'), delta('a', '{'), ...pieces('a', '{"n":1}')]), ['{"n":1}']);
  });
});

test('reasoning without end is not read to its end', async () => {
  async function* forever(): AsyncGenerator<ModelPart> {
    for (;;) yield { type: 'thought', length: 1024 * 1024 };
  }
  await assert.rejects(collectAnswer(forever(), 1), {
    name: 'ModelFault',
    message: 'the answer is longer than 33554432 characters',
    isRetryable: false,
  });
});

describe('a call that is not whole is not run', () => {
  const cut = 'the answer was cut off at its longest length before the arguments of this call came';

  test('its end never came, however good its arguments look', async () => {
    const unfinished = 'the call ended before it was whole';
    assert.deepEqual(await callsOf([begun('a')]), [unfinished]);
    assert.deepEqual(await callsOf([begun('a'), delta('a', '{"n":1}')]), [unfinished]);
    assert.deepEqual(await callsOf([begun('a'), ...pieces('b', '{}')]), [unfinished, '{}']);
  });

  test('nothing of its arguments came in an answer that was cut off, whatever the package makes of them', async () => {
    for (const input of ['', '{}', ' {} '])
      assert.deepEqual(await callsOf([begun('a'), whole('a', input)], 'length'), [cut], input);
    assert.deepEqual(await callsOf([...pieces('a', '{"n":1}'), begun('b'), whole('b', '')], 'length'), [
      '{"n":1}',
      cut,
    ]);
  });

  test('no arguments in a whole answer, and an empty object that was said, are none', async () => {
    assert.deepEqual(await callsOf([begun('a'), whole('a', '')]), ['{}']);
    assert.deepEqual(await callsOf(pieces('a', '{}'), 'length'), ['{}']);
  });
});
