import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../../setup/bench-home.ts';

/** A switch under a part of an id would cover nothing, and the person would believe that the run is dead. */
describe('kill takes what other commands take for an instance', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(async () => {
    bench = openBench();
    bench.skill('sleep', { type: 'code_inline', command: 'sleep', args: ['60'] });
    bench.workflow('sleeper', { steps: [{ id: 'wait', type: 'skill', skill: 'sleep' }] });
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
  });
  after(() => bench.close());

  const started = async (): Promise<string> => {
    const { id } = (await bench.json('run', 'sleeper', '--detach')) as { id: string };
    await eventually('its step runs', async () => (await bench.status(id)).steps[0]?.status === 'running');
    return id;
  };

  test('latest, and a prefix', async () => {
    for (const given of [() => 'latest', (id: string) => id.slice(0, 9)]) {
      const id = await started();
      const { status, stdout } = await bench.q('kill', `instance:${given(id)}`);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^instance:${id} is tripped \\(kill\\): 1 instance ended`));
      assert.equal((await bench.status(id)).status, 'killed');
    }
  });

  test('rearm takes the same', async () => {
    const id = await started();
    await bench.q('kill', `instance:${id}`);
    const { status, stdout } = await bench.q('rearm', `instance:${id.slice(0, 9)}`, '--reason', 'test');
    assert.deepEqual([status, stdout], [0, `instance:${id} is armed again; nothing was resumed\n`]);
  });

  test('an id that no instance has trips nothing', async () => {
    const { status, stderr } = await bench.q('kill', 'instance:zz');
    assert.equal(status, 4, stderr);
    assert.match(stderr, /\[INSTANCE_NOT_FOUND\]/);
    assert.match((await bench.q('kill', 'status')).stdout, /^(?!.*instance:zz)/);
  });

  test('a workflow of a name that is not here is tripped, and it is said', async () => {
    const { status, stdout, stderr } = await bench.q('kill', 'workflow:sleepre');
    assert.deepEqual(
      [status, stderr],
      [0, 'note  no workflow is called "sleepre" here; did you mean "sleeper"?\n'],
    );
    assert.match(stdout, /^workflow:sleepre is tripped \(kill\): nothing of it ran\n/);
    const known = await bench.q('kill', 'workflow:sleeper');
    assert.deepEqual([known.status, known.stderr], [0, '']);
    await bench.q('rearm', 'workflow:sleeper', '--reason', 'test');
  });

  test('without a supervisor latest is the one that runs, and of several the person has to choose', async () => {
    const kill = async (): ReturnType<Bench['q']> => bench.q('kill', 'instance:latest');
    await bench.q('supervisor', 'stop', '--instances', 'stop');
    const none = await kill();
    assert.deepEqual(
      [none.status, /no instance has processes: nothing is tripped/.test(none.stderr)],
      [4, true],
    );
    const ids = [await started(), await started()];
    await bench.q('supervisor', 'stop');
    const two = await kill();
    assert.equal(two.status, 2);
    for (const id of ids) assert.ok(two.stderr.includes(id), two.stderr);
    await bench.q('kill', `instance:${ids[0]}`);
    const { status, stdout } = await kill();
    assert.match(stdout, new RegExp(`^instance:${ids[1]} is tripped \\(kill\\): 1 instance ended`));
    assert.equal(status, 0);
  });

  test('without a supervisor a prefix is looked for in the folders of instances', async () => {
    await bench.q('supervisor', 'stop', '--instances', 'stop');
    const [id = ''] = readdirSync(join(bench.home, 'instances'));
    const { stdout } = await bench.q('kill', `instance:${id.slice(0, 9)}`);
    assert.match(stdout, new RegExp(`^instance:${id} is tripped`));
    const { status, stderr } = await bench.q('kill', 'instance:zz');
    assert.equal(status, 4, stderr);
    assert.match(
      stderr,
      /the folder of no instance begins with "zz": nothing is tripped \[INSTANCE_NOT_FOUND\]/,
    );
  });
});
