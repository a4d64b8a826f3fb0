import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asker, converse, type Said } from '../../src/wizard/conversation.ts';
import { ask, choose, type Flow, type Question, work } from '../../src/wizard/question.ts';

/** A reply, `back` or `leave`. */
type Line = string;

/** Says its lines one after the other, and keeps what it was asked and told. */
function speaker(lines: readonly Line[]): Asker & { asked: string[]; told: string[] } {
  const [asked, told, rest]: [string[], string[], Line[]] = [[], [], [...lines]];
  return {
    asked,
    told,
    ask: (question: Question) => {
      asked.push(question.id);
      const line = rest.shift() ?? 'leave';
      return Promise.resolve(line === 'back' || line === 'leave' ? line : { reply: line });
    },
    tell: (text) => void told.push(text),
  };
}

function* dinner(): Flow<string> {
  const dish = yield* choose('dish', 'What?', [
    { value: 'soup', name: 'Soup' },
    { value: 'cake', name: 'Cake' },
  ]);
  const price = yield* work('price', 'looking it up', () => Promise.resolve('7'));
  const count = yield* ask(dish === 'soup' ? 'bowls' : 'pieces', 'How many?', {
    check: (reply) => (/^\d+$/.test(reply) ? null : 'a number'),
  });
  return `${count} ${dish} for ${price}`;
}

const talk = (
  asker: Asker,
  said: readonly Said[] = [],
  kept: (readonly Said[])[] = [],
): ReturnType<typeof converse<string>> =>
  converse({ start: dinner, asker, said, keep: (each) => void kept.push(each) });

test('back asks the question before, past what was work, and another answer leads another way', async () => {
  const asker = speaker(['soup', 'back', 'cake', '2']);
  assert.deepEqual(await talk(asker), { value: '2 cake for 7' });
  assert.deepEqual(asker.asked, ['dish', 'bowls', 'dish', 'pieces']);
});

test('every reply is kept before the next question, and leaving keeps them', async () => {
  const kept: (readonly Said[])[] = [];
  assert.equal(await talk(speaker(['soup', 'leave']), [], kept), null);
  assert.deepEqual(kept.at(-1), [
    { id: 'dish', reply: 'soup' },
    { id: 'price', reply: '7' },
  ]);
});

test('kept replies are not asked again', async () => {
  const asker = speaker(['3']);
  const said = [
    { id: 'dish', reply: 'soup' },
    { id: 'price', reply: '9' },
  ];
  assert.deepEqual(await talk(asker, said), { value: '3 soup for 9' });
  assert.deepEqual(asker.asked, ['bowls']);
});

test('kept replies that no question takes any more are asked again, and it is said how many', async () => {
  const asker = speaker(['cake', '1']);
  const said = [
    { id: 'dish', reply: 'pie' },
    { id: 'price', reply: '9' },
  ];
  assert.deepEqual(await talk(asker, said), { value: '1 cake for 7' });
  assert.deepEqual(asker.told[0], '2 of 2 answers do not fit any more and are asked again.');
});

test('a kept reply is given to the question of its id only', async () => {
  const asker = speaker(['1']);
  const said = [
    { id: 'dish', reply: 'cake' },
    { id: 'price', reply: '7' },
    { id: 'bowls', reply: '5' },
  ];
  assert.deepEqual(await talk(asker, said), { value: '1 cake for 7' });
});
