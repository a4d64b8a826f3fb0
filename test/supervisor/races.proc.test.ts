import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';

describe('requests that arrive together', { timeout: 120_000 }, () => {
  let bench: Bench;
  let client: Client;
  before(async () => {
    bench = openBench();
    bench.skill('wait', { type: 'code_inline', command: 'sleep', args: ['{seconds}'] });
    bench.skill('fail', { type: 'code_inline', command: 'false' });
    const nap = { id: 'nap', type: 'skill', skill: 'wait', inputs: { seconds: 60 } };
    bench.workflow('slow', { steps: [nap] });
    bench.workflow('half', {
      resource_limits: { max_memory_mb: Math.floor((totalmem() * 0.6) / 1024 / 1024) },
      steps: [nap],
    });
    bench.workflow('broken', { steps: [{ id: 'try', type: 'skill', skill: 'fail' }] });
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    client = await connectTo(bench);
  });
  after(async () => {
    client.close();
    await bench.close();
  });

  const start = async (name: string): Promise<string> =>
    ((await bench.json('run', name, '--detach')) as { id: string }).id;
  const codes = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
    results
      .map((result) => (result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code))
      .sort();
  const stop = (id: string): Promise<unknown> =>
    client.call('instance.stop', { id, isForced: false, caller: callerOf(bench) });
  const endsOf = (id: string): number =>
    bench.journal(id).filter(({ event }) => event.type === 'run.ended').length;

  test('three stops of a queued run end it once', async () => {
    const [running, queued] = [await start('half'), await start('half')];
    assert.equal((await bench.status(queued)).status, 'queued');
    const results = await Promise.allSettled([stop(queued), stop(queued), stop(queued)]);
    assert.ok(codes(results).includes('done'));
    assert.equal(endsOf(queued), 1);
    await Promise.allSettled([stop(running), stop(running)]);
    await eventually('the end of the running one', async () => (await bench.status(running)).ended_at);
    assert.equal(endsOf(running), 1);
  });

  test('of three resumes of a failed run one is done and the others are refused', async () => {
    const failed = (await bench.json('run', 'broken')) as StatusDocument;
    assert.equal(failed.status, 'failed');
    const resume = (): Promise<unknown> =>
      client.call('instance.resume', { id: failed.id, from: null, pins: 'check', caller: callerOf(bench) });
    const results = await Promise.allSettled([resume(), resume(), resume()]);
    assert.deepEqual(codes(results), ['NOT_RESUMABLE', 'NOT_RESUMABLE', 'done']);
    const again = await eventually('the second end', async () => {
      const run = await bench.status(failed.id);
      return run.ended_at !== null && run.incarnations === 2 && run;
    });
    assert.equal(again.status, 'failed');
    assert.equal(endsOf(failed.id), 2);
  });

  test('a stop and a kill of a running one end it once, and a stop before it has reported is kept', async () => {
    const id = await start('slow');
    const kill = client.call('instance.stop', { id, isForced: true, caller: callerOf(bench) });
    await Promise.allSettled([stop(id), kill]);
    await eventually('the end', async () => (await bench.status(id)).ended_at);
    assert.equal(endsOf(id), 1);
    const early = await start('slow');
    await stop(early);
    const run = await eventually('the end of the early one', async () => {
      const now = await bench.status(early);
      return now.ended_at !== null && now;
    });
    assert.equal(run.status, 'stopped');
  });

  test('a kill that comes while the end of a crashed process is taken in ends the run all the same', async () => {
    for (let afterMs = 0; afterMs < 20; afterMs += 1) {
      const id = await start('slow');
      const pid = await eventually('its process', async () => (await bench.status(id)).pid);
      process.kill(pid, 'SIGKILL');
      await wait(afterMs);
      await client.call('instance.stop', { id, isForced: true, caller: callerOf(bench) });
      const run = await eventually(`the end of the one killed after ${afterMs} ms`, async () => {
        const now = await bench.status(id);
        return now.ended_at !== null && now;
      });
      assert.equal(run.status, 'killed', `after ${afterMs} ms`);
    }
  });
});
