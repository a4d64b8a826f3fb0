import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../src/supervisor/turns.ts';

test('one after the other, in order; a failed turn is its own', async () => {
  const inTurn = createTurns();
  const said: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = inTurn(async () => {
    await gate;
    said.push('first');
    throw new Error('first failed');
  });
  const second = inTurn(async () => said.push('second'));
  said.push('given');
  open();
  await assert.rejects(first, { message: 'first failed' });
  assert.equal(await second, 3);
  assert.deepEqual(said, ['given', 'first', 'second']);
});
