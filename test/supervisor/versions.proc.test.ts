import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { VersionDocument, WorkflowSummary } from '../../src/protocol/workflow-control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, hostOf, textOf } from '../setup/leftovers.ts';

type Registered = { number: number; is_new: boolean };

describe('definitions over time', { timeout: 240_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('mark.sh', 'echo "$1" >> effects.txt; [ ! -e "broken-$1" ] || exit 4\n');
    for (const name of ['one', 'two', 'three'])
      bench.skill(name, { type: 'code_inline', command: 'sh', args: ['mark.sh', name] });
    bench.script('gate.sh', 'echo waits >> effects.txt; until [ -e open ]; do sleep 0.05; done\n');
    bench.skill('gate', { type: 'code_inline', command: 'sh', args: ['gate.sh'] });
  });
  after(() => bench.close());

  const leaf = (id: string, skill = id): object => ({ id, type: 'skill', skill });
  const effects = (): string[] => textOf(join(bench.workspace, 'effects.txt')).split('\n').filter(Boolean);

  /** Writes `<name>.json` beside the workspace's own workflows, where no name finds it, and registers it. */
  async function register(name: string, version: string, ...steps: object[]): Promise<Registered> {
    const file = join(bench.workspace, `${name}.json`);
    writeFileSync(file, JSON.stringify({ name, version, steps }));
    return (await bench.json('register', file)) as Registered;
  }

  test('each content gets a number, an address runs it, and old content becomes current again', async () => {
    assert.deepEqual(pick(await register('numbered', '1.0.0', leaf('one'))), { number: 1, is_new: true });
    assert.deepEqual(pick(await register('numbered', '2.0.0', leaf('two'))), { number: 2, is_new: true });
    assert.deepEqual(pick(await register('numbered', '2.0.0', leaf('three'))), { number: 3, is_new: true });

    const stepOf = async (target: string): Promise<string | undefined> =>
      ((await bench.json('run', target)) as StatusDocument).steps[0]?.id;
    assert.equal(await stepOf('numbered'), 'three');
    assert.equal(await stepOf('numbered@1'), 'one');
    assert.equal(await stepOf('numbered@1.0.0'), 'one');
    const list = (await bench.json('list', 'numbered', '--versions')) as VersionDocument[];
    assert.deepEqual(
      list.map(({ number, version, is_current, runs }) => [number, version, is_current, runs]),
      [
        [1, '1.0.0', false, 2],
        [2, '2.0.0', false, 0],
        [3, '2.0.0', true, 1],
      ],
    );
    assert.equal(await stepOf(`numbered@${list[1]?.definition.slice(0, 6)}`), 'two');
    const shown = (await bench.json('show', 'numbered@2')) as WorkflowSummary & {
      definition: { steps: { id: string }[] };
    };
    assert.equal(shown.definition.steps[0]?.id, 'two');
    assert.match((await bench.q('graph', 'numbered@1')).stdout, /one/);

    const again = await bench.q('register', 'numbered@1');
    assert.equal(again.stdout, 'registered numbered 1.0.0: it is numbered@1, which is current now\n');
    assert.equal(await stepOf('numbered'), 'one');
    const elsewhere = join(bench.workspace, 'elsewhere.json');
    writeFileSync(elsewhere, JSON.stringify({ name: 'numbered', version: '4.0.0', steps: [leaf('two')] }));
    assert.equal(
      (await bench.q('register', elsewhere)).stdout,
      `registered numbered 4.0.0 as numbered@4\n  in the place of 1.0.0 from ${join(bench.workspace, 'numbered.json')}\n`,
    );
    await bench.q('register', 'numbered@1');
    const csv = await bench.q('list', '--versions', '--filter', 'current=current', '--output', 'csv');
    assert.match(csv.stdout, /^workflow,number,address,version,current,definition,runs,registered,by,file\n/);
    assert.match(csv.stdout, /\nnumbered,1,numbered@1,1\.0\.0,current,[0-9a-f]{64},3,/);
  });

  test('a version that is not there is an error with those that are', async () => {
    await register('few', '1.0.0', leaf('one'));
    await register('few', '1.0.0', leaf('two'));
    const missing = await bench.q('run', 'few@7');
    assert.equal(missing.status, 4);
    assert.match(missing.stderr, /few has no version "7" \[VERSION_NOT_FOUND\]/);
    assert.match(missing.stderr, /There are few@2 \(1\.0\.0, [0-9a-f]{8}\), few@1 \(1\.0\.0, [0-9a-f]{8}\)/);
    const several = await bench.q('show', 'few@1.0.0');
    assert.equal(several.status, 2);
    assert.match(several.stderr, /2 versions of few are "1\.0\.0" \[VERSION_AMBIGUOUS\]/);
    const unknown = await bench.q('run', 'fews@1');
    assert.match(unknown.stderr, /no workflow is registered as "fews"; did you mean "few"\?/);
    await bench.q('unregister', 'few');
    assert.equal((await bench.q('run', 'few@1')).status, 4);
    assert.deepEqual(pick(await register('few', '1.0.0', leaf('three'))), { number: 3, is_new: true });
  });

  test('an instance keeps the definition that it began with, over crash and resume, whatever is registered since', async () => {
    await register('kept', '1.0.0', leaf('gate'), leaf('one'));
    const { id } = (await bench.json('run', 'kept', '--detach')) as { id: string };
    await eventually('the gate', () => effects().includes('waits'));
    await register('kept', '2.0.0', leaf('gate'), leaf('two'));
    const host = hostOf(id);
    assert.ok(host !== undefined);
    process.kill(host, 'SIGKILL');
    await eventually('the gate again', () => effects().filter((line) => line === 'waits').length === 2);
    await bench.q('stop', id);
    const stopped = await endOf(bench, id);
    assert.deepEqual([stopped.status, stopped.incarnations], ['stopped', 2]);
    writeFileSync(join(bench.workspace, 'open'), '');
    const resumed = await bench.q('resume', id, '--json');
    assert.equal(resumed.status, 0, resumed.stderr);
    const run = JSON.parse(resumed.stdout) as StatusDocument;
    assert.deepEqual([run.version, run.steps.map((step) => step.id)], ['1.0.0', ['gate', 'one']]);
  });

  describe('resume --definition new', () => {
    async function failedRun(name: string): Promise<StatusDocument> {
      writeFileSync(join(bench.workspace, 'broken-two'), '');
      await register(name, '1.0.0', leaf('one'), leaf('two'));
      const run = (await bench.json('run', name)) as StatusDocument;
      assert.equal(run.status, 'failed');
      return run;
    }

    test('goes on with other later steps, and the audit has both hashes', async () => {
      const failed = await failedRun('mended');
      await register('mended', '1.1.0', leaf('one'), leaf('two', 'three'), leaf('last', 'three'));
      const { stdout, stderr } = await bench.q('resume', failed.id, '--definition', 'new', '--json');
      const run = JSON.parse(stdout) as StatusDocument;
      assert.equal(run.status, 'completed', stderr);
      assert.deepEqual(
        run.steps.map(({ id, status }) => [id, status]),
        [
          ['one', 'completed'],
          ['two', 'completed'],
          ['last', 'completed'],
        ],
      );
      assert.equal(run.version, '1.1.0');
      assert.notEqual(run.definition, failed.definition);
      const log = await bench.q(
        'audit',
        'list',
        '--instance',
        run.id,
        '--type',
        'instance.resume_requested',
        '--json',
      );
      const record = JSON.parse(log.stdout.trim().split('\n')[0] ?? '') as Record<string, unknown>;
      assert.deepEqual(findDefinition(record), { old: failed.definition, new: run.definition });
      assert.equal((await bench.q('audit', 'verify')).status, 0);
    });

    test('is refused where a completed step no longer matches, with every place, and nothing has changed', async () => {
      const failed = await failedRun('refused');
      await register('refused', '1.1.0', leaf('zero', 'three'), leaf('one', 'three'), leaf('two', 'three'));
      const answer = await bench.q('resume', failed.id, '--definition', 'new');
      assert.equal(answer.status, 3, answer.stderr);
      assert.match(answer.stderr, /DEFINITION_MISMATCH/);
      assert.match(answer.stderr, /one:? +has completed, and its skill differs/);
      const still = await bench.status(failed.id);
      assert.deepEqual([still.status, still.definition], ['failed', failed.definition]);
      const other = await bench.q('resume', failed.id, '--definition', 'numbered@1');
      assert.match(other.stderr, /is a run of refused, and .* defines numbered/);
    });

    test('survives a supervisor that is killed right after its commit', async () => {
      const failed = await failedRun('durable');
      const ones = (): number => effects().filter((line) => line === 'one').length;
      const before = ones();
      await register('durable', '1.1.0', leaf('one'), leaf('two', 'three'));
      await bench.q('supervisor', 'stop');
      await bench.qWith({ Q_WORKFLOW_FAILPOINT: 'supervisor.requeued:1' }, 'supervisor', 'start');
      await bench.q('resume', failed.id, '--definition', 'new', '--detach');
      const run = await eventually('the end of the resumed run', async () => {
        const now = await bench.status(failed.id);
        return now.ended_at !== null && now.ended_at !== failed.ended_at && now;
      });
      assert.deepEqual([run.status, run.version], ['completed', '1.1.0']);
      assert.equal(ones(), before);
    });

    test('a run that has not ended keeps its definition', async () => {
      await register('waits', '1.0.0', leaf('gate'));
      writeFileSync(join(bench.workspace, 'open'), '');
      const run = (await bench.json('run', 'waits')) as StatusDocument;
      const done = await bench.q('resume', run.id, '--definition', 'new');
      assert.match(done.stderr, /is completed and cannot be resumed \[NOT_RESUMABLE\]/);
    });
  });
});

function pick({ number, is_new }: Registered): Registered {
  return { number, is_new };
}

/** `definition` of the data of a record, however deep the row of a list has it. */
function findDefinition(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'definition') return inner;
    const found = findDefinition(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
