import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Chore, createUpkeep } from '../../../src/supervisor/upkeep/upkeep.ts';

const DAY = 86_400_000;

describe('upkeep', () => {
  const said: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (message: string) => void said.push(message),
    close: async () => undefined,
  };
  let now = 0;
  const chore = (name: string, done: string[], lastAt: number, fails = false): Chore => ({
    failure: `${name} could not be done`,
    everyMs: DAY,
    lastAt: () => lastAt,
    run: async () => {
      done.push(name);
      if (fails) throw new Error('no');
    },
  });
  const lookAt = async (time: number, lastAt: number): Promise<string[]> => {
    const done: string[] = [];
    now = time;
    const upkeep = createUpkeep({ log, now: () => now }, [
      chore('first', done, lastAt, true),
      chore('second', done, lastAt),
    ]);
    await Promise.all([upkeep.look(), upkeep.look()]);
    upkeep.close();
    return done;
  };

  test('does what is due, each once a look, and one that fails keeps none of the others', async () => {
    assert.deepEqual(await lookAt(10 * DAY, 9 * DAY), ['first', 'second']);
    assert.deepEqual(said, ['first could not be done, trying again in 10 min']);
    assert.deepEqual(await lookAt(10 * DAY, 9 * DAY + 1), []);
  });

  test('a clock that was set back does not put it off', async () => {
    assert.deepEqual(await lookAt(10 * DAY, 10 * DAY + 1000), []);
    assert.deepEqual(await lookAt(10 * DAY, 11 * DAY), ['first', 'second']);
  });
});
