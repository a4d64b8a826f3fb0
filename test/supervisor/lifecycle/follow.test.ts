import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { ControlNotification } from '../../../src/protocol/control.ts';
import { follow } from '../../../src/supervisor/lifecycle/follow.ts';
import { createLiveInstance, notify } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { runningRow } from '../fake-context.ts';

function connection(): { call: Parameters<typeof follow>[1]; told: string[]; leave: () => void } {
  const gone = new AbortController();
  const told: string[] = [];
  const call = { gone: gone.signal, notify: ({ method }: ControlNotification) => void told.push(method) };
  return { call, told, leave: () => gone.abort() };
}

test('a connection that stays holds nothing of an instance that has ended', () => {
  const live = createLiveInstance(runningRow('i'), [], []);
  const { call, told } = connection();
  follow(live, call);
  assert.equal(getEventListeners(call.gone, 'abort').length, 1);
  notify(live, { method: 'instance.state', params: { id: 'i', status: 'running', note: null } });
  // What it says does not matter here.
  notify(live, { method: 'instance.ended', params: {} as never });
  assert.deepEqual(told, ['instance.state', 'instance.ended']);
  assert.equal(getEventListeners(call.gone, 'abort').length, 0);
});

test('a connection that goes is told no more', () => {
  const live = createLiveInstance(runningRow('i'), [], []);
  const { call, leave } = connection();
  follow(live, call);
  leave();
  assert.equal(live.watchers.size, 0);
});
