import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Latch } from '../../../src/guard/kill/latch-files.ts';
import type { HaltedInstance } from '../../../src/protocol/guard-documents.ts';
import type { KillSwitch } from '../../../src/supervisor/guard/kill-switch.ts';
import { createKiller } from '../../../src/supervisor/guard/killer.ts';
import type { Fleet } from '../../../src/supervisor/lifecycle/fleet.ts';
import type { LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { fakeContext } from '../fake-context.ts';

const PERSON = { kind: 'person', id: 'me', uid: 1 } as const;
const latch = (at: number): Latch => ({ scope: 'global', mode: 'kill', reason: 'why', by: 'person me', at });

/** Ends one instance; `answers` say what is found each time. */
function killerWith(...answers: Partial<HaltedInstance>[]) {
  const { context } = fakeContext({});
  const live = { row: { id: 'i1', workflow: 'w' }, scope: null } as unknown as LiveInstance;
  const halt = async (): Promise<object> => ({
    had_process: true,
    found: 0,
    killed: 0,
    survivors: [],
    ms: 1,
    ...answers.shift(),
  });
  const fleet = { all: () => [live], halt } as unknown as Fleet;
  const killSwitch = { latch: () => ({ isNew: true, recorded: Promise.resolve() }) } as unknown as KillSwitch;
  return createKiller({ ...context, killSwitch }, fleet, { record: async () => undefined });
}

test('a command is told what was ended when its file was seen and acted on before it asked', async () => {
  const killer = killerWith({ found: 7, killed: 7, survivors: [3] }, {});
  await killer.enforce(latch(5));
  const { instances, survivors } = await killer.trip(latch(5), PERSON);
  assert.deepEqual(
    instances.map(({ id, found, killed }) => [id, found, killed]),
    [['i1', 7, 7]],
  );
  assert.equal(survivors, 0);
});

test('what is found again, or cannot be ended, is told as it is now', async () => {
  const again = killerWith({ found: 7, killed: 7 }, { found: 2, killed: 2 });
  await again.enforce(latch(5));
  assert.equal((await again.trip(latch(5), PERSON)).instances[0]?.found, 2);
  const failing = killerWith({ found: 7, killed: 7 }, { failure: 'no' });
  await failing.enforce(latch(5));
  assert.equal((await failing.trip(latch(5), PERSON)).instances[0]?.failure, 'no');
});

test('another trip of the same scope tells only what it ended', async () => {
  const killer = killerWith({ found: 7, killed: 7 }, {});
  await killer.enforce(latch(5));
  assert.equal((await killer.trip(latch(6), PERSON)).instances[0]?.found, 0);
});
