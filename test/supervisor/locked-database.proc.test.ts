import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, startRun, textOf } from '../setup/leftovers.ts';

describe('the database is locked by another program', { timeout: 120_000 }, () => {
  let bench: Bench;
  let other: DatabaseSync;
  before(async () => {
    bench = openBench();
    bench.script('step.sh', 'echo "$1" >> effects.txt; until [ -e "go-$1" ]; do sleep 0.05; done\n');
    for (const id of ['one', 'two'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['step.sh', id] });
    bench.workflow('pair', { steps: ['one', 'two'].map((id) => ({ id, type: 'skill', skill: id })) });
    await bench.json('supervisor', 'start');
    other = new DatabaseSync(join(bench.home, 'q-workflow.db'));
  });
  after(async () => {
    other.close();
    await bench.close();
  });

  const effects = (): string[] => textOf(join(bench.workspace, 'effects.txt')).split('\n').filter(Boolean);
  const open = (id: string): void => writeFileSync(join(bench.workspace, `go-${id}`), '');

  test('a run waits for it and loses nothing; what cannot wait is told so', async () => {
    const id = await startRun(bench, 'pair');
    await eventually('the first step', () => effects().length === 1);
    other.exec('BEGIN IMMEDIATE');
    try {
      open('one');
      const refused = await bench.q('run', 'pair', '--detach');
      assert.equal(refused.status, 5, refused.stderr);
      assert.match(refused.stderr, /database is locked \[STORE_BUSY\]\nhint {2}End what has it open/);
      await eventually('the journal waits', () =>
        /cannot write the journal, trying again/.test(textOf(join(bench.home, 'log', 'supervisor.log'))),
      );
    } finally {
      other.exec('ROLLBACK');
    }
    open('two');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
    assert.deepEqual(effects(), ['one', 'two']);
  });

  test('a kill does not wait for it; its switch and its record are there afterwards, as is its end', async () => {
    const tripped = (): unknown[] => other.prepare('SELECT scope, reason FROM kill_latches').all();
    const verdict = async (): Promise<unknown> => {
      const { status, stdout, stderr } = await bench.q('audit', 'verify');
      return [status, stderr, /^(\w+):/.exec(stdout)?.[1]];
    };
    const kill = async (scope: string): Promise<void> => {
      other.exec('BEGIN IMMEDIATE');
      try {
        assert.equal((await bench.q('kill', scope, '--reason', 'wild')).status, 0);
        const spooled = (): boolean => textOf(join(bench.home, 'spool.jsonl')).includes(scope);
        await eventually('the spool', spooled);
      } finally {
        other.exec('ROLLBACK');
      }
    };
    const rearm = async (scope: string): Promise<void> => {
      assert.equal((await bench.q('rearm', scope, '--reason', 'tame')).status, 0);
      assert.deepEqual([tripped(), await verdict()], [[], [0, '', 'intact']]);
    };
    const chained = (): boolean => !readdirSync(bench.home).some((name) => name.startsWith('spool'));
    await kill('workflow:pair');
    const file = bench.workflow('other', { steps: [{ id: 'a', type: 'skill', skill: 'one' }] });
    assert.equal((await bench.q('register', file)).status, 0);
    await eventually('the record', chained);
    assert.equal(tripped().length, 1);
    assert.deepEqual(await verdict(), [0, '', 'intact']);
    await rearm('workflow:pair');
    // Asked before anything else has brought the spool in.
    await kill('workflow:other');
    await rearm('workflow:other');
    await eventually('the record', chained);
    assert.deepEqual([tripped(), await verdict()], [[], [0, '', 'intact']]);
  });

  test('at a start it is not taken for damaged', async () => {
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    other.exec('BEGIN IMMEDIATE');
    try {
      const { status, stderr } = await bench.q('supervisor', 'start');
      assert.equal(status, 5, stderr);
      assert.match(stderr, /\[STORE_BUSY\]/);
      assert.doesNotMatch(stderr, /restore/);
    } finally {
      other.exec('ROLLBACK');
    }
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
  });
});
