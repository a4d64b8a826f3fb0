import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { InstanceSummary } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, pidIn, processesOf, startRun } from '../setup/leftovers.ts';

describe('a journal that cannot be read', { timeout: 60_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('wait.sh', 'echo $$ > "$1.pid"; until [ -e go ]; do sleep 0.05; done');
    for (const name of ['bad', 'good']) {
      bench.skill(name, { type: 'code_inline', command: 'sh', args: ['wait.sh', name] });
      bench.workflow(name, { steps: [{ id: 'a', type: 'skill', skill: name }] });
    }
  });
  after(() => bench.close());

  test('ends its run, and keeps neither the supervisor nor other runs from going on', async () => {
    const [bad, good] = [await startRun(bench, 'bad'), await startRun(bench, 'good')];
    for (const name of ['bad', 'good']) await pidIn(join(bench.workspace, `${name}.pid`));
    // The pids in the files are those of a namespace: processes are known by their scope.
    assert.ok(processesOf(bad).length > 1 && processesOf(good).length > 1);
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    // As an event of a newer version would, after a step back to this one.
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'));
    database.exec(
      `DROP TRIGGER events_no_update; UPDATE events SET body = '{"type":"run.dreamt"}' WHERE instance = '${bad}' AND seq = 1`,
    );
    database.close();
    const started = await bench.q('supervisor', 'start');
    assert.deepEqual([started.status, started.stderr], [0, '']);
    await eventually('the end of its processes', () => processesOf(bad).length === 0);
    assertNothingLeft(bad);
    const run = await bench.status(bad);
    assert.deepEqual([run.status, run.error?.code, run.steps], ['failed', 'INTERNAL', []]);
    assert.match(run.reason ?? '', /^the journal of this run cannot be taken up: .*run\.dreamt/);
    const list = (await bench.json('status', '--all')) as InstanceSummary[];
    assert.deepEqual(
      list.map(({ id, status }) => [id, status]),
      [
        [good, 'running'],
        [bad, 'failed'],
      ],
    );
    assert.ok(processesOf(good).length > 1);
    bench.script('go', '');
    const end = await endOf(bench, good);
    assert.deepEqual([end.status, end.incarnations], ['completed', 1]);
    const resumed = await bench.q('resume', bad);
    assert.equal(resumed.status, 70, resumed.stderr);
    assert.equal((await bench.status(bad)).status, 'failed');
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
  });
});
