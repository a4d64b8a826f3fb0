import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KillSubject } from '../../src/guard/kill/kill-scope.ts';
import { createCallsInFlight } from '../../src/instance/calls-in-flight.ts';
import { AT_ONCE } from '../../src/skills/stop.ts';

const subject = (tool: string): KillSubject => ({
  workflow: 'w',
  instance: 'i1',
  agent: 'helper',
  tool,
  path: 'a',
});
const untilAborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));
const never = new AbortController().signal;

test('a switch ends the calls that it covers, at once or gently, and waits for them', async () => {
  const calls = createCallsInFlight();
  let reason: unknown = null;
  const hit = calls.during(subject('@fs/write'), never, async (signal) => {
    reason = await untilAborted(signal);
    return 1;
  });
  let isSpared = true;
  const spared = new AbortController();
  const other = calls.during(subject('fs_read'), spared.signal, async (signal) => {
    await untilAborted(signal);
    isSpared = false;
    return 2;
  });
  await calls.trip('tool:@fs', 'tool:@fs, by x: y', false);
  assert.equal(reason, AT_ONCE);
  assert.ok(isSpared);
  assert.deepEqual(await hit, { switchedOff: 'tool:@fs, by x: y' });
  spared.abort();
  assert.deepEqual(await other, { value: 2 });
  await calls.trip('tool:fs_read', 'late', true);
});

test('what a call throws because of the switch is its end; any other error stays one', async () => {
  const calls = createCallsInFlight();
  const hit = calls.during(subject('exec'), never, async (signal) => {
    await untilAborted(signal);
    throw new Error('killed');
  });
  await calls.trip('tool:exec', 'why', true);
  assert.deepEqual(await hit, { switchedOff: 'why' });
  await assert.rejects(
    calls.during(subject('exec'), never, async () => {
      throw new Error('its own');
    }),
    /its own/,
  );
});

test('a switch of a server, or of one of its tools, ends its process; of another one not, nor one that has left', async () => {
  const calls = createCallsInFlight();
  const ended: string[] = [];
  const serve = (name: string) => calls.serve(name, async () => void ended.push(name));
  serve('fs');
  serve('fsx');
  const leave = serve('gone');
  leave();
  for (const scope of ['tool:@fs', 'tool:@fs/read', 'tool:fs_read', 'tool:@gone', 'agent:fs'])
    await calls.trip(scope, 'why', false);
  assert.deepEqual(ended, ['fs', 'fs']);
});
