import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Problem } from '../../src/errors/workflow-error.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { WorkflowSummary } from '../../src/protocol/workflow-control.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';

interface ErrorAnswer {
  readonly error: { code: string; message: string; hint: string; problems?: readonly Problem[] };
}

describe('workflow files on the command line', { timeout: 120_000 }, () => {
  let bench: Bench;
  let folder: string;
  before(() => {
    bench = openBench();
    folder = join(bench.workspace, '.amazonq', 'workflows');
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    const say = { id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } };
    bench.workflow('tiny', { steps: [say] });
    bench.workflow('inputs', {
      inputs: {
        count: { type: 'number', required: true },
        flag: { type: 'boolean', default: true },
        list: { type: 'array', default: [] },
        constructor: { type: 'string', default: 'ours' },
      },
      context: { mutable: { level: 1 } },
      steps: [say],
    });
    bench.workflow('missing', { steps: [{ id: 'a', type: 'skill', skill: 'sya' }] });
    bench.workflow('invalid', {
      version: '1.0',
      steps: [
        { id: 'a', type: 'skill' },
        { id: 'b', type: 'loop', steps: [] },
      ],
    });
  });
  after(() => bench.close());

  async function refused(status: number, ...args: readonly string[]): Promise<ErrorAnswer['error']> {
    const answer = await bench.q(...args, '--json');
    assert.equal(answer.status, status, answer.stdout + answer.stderr);
    return (JSON.parse(answer.stdout) as ErrorAnswer).error;
  }

  const lines = (problems: readonly Problem[] = []): string[] =>
    problems.map(({ path, message }) => `${path}: ${message}`);

  test('inputs and context that are wrong, unknown or missing are all named, with exit 2', async () => {
    const error = await refused(
      2,
      'run',
      'inputs',
      '--input',
      'flag=perhaps',
      '--input',
      'list={}',
      '--input',
      'other=1',
      '--context',
      'level=high',
      '--context',
      'depth=1',
    );
    assert.equal(error.code, 'INPUT_INVALID');
    assert.deepEqual(lines(error.problems), [
      '--input count: the input count (number) is required and was not given',
      '--input flag: "perhaps" is not of the type boolean',
      '--input list: "{}" is not of the type array',
      '--input other: other is not declared (known: count, flag, list, constructor)',
      '--context level: "high" is not of the type number',
      '--context depth: depth is not declared (known: level)',
    ]);
    const { status, stdout, stderr } = await bench.q('run', 'inputs');
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, / {2}--input count: the input count \(number\) is required/);
  });

  test('names that objects inherit and numbers that JSON cannot hold are values like others', async () => {
    const run = (await bench.json('run', 'inputs', '--input', 'count=2')) as StatusDocument;
    assert.deepEqual(run.inputs, { count: 2, flag: true, list: [], constructor: 'ours' });
    for (const input of ['count=1e999', 'list=[1e999]'])
      assert.match(
        lines((await refused(2, 'run', 'inputs', '-i', input)).problems).join(),
        /is not of the type/,
      );
    const proto = await refused(
      2,
      'run',
      'inputs',
      '-i',
      'count=1',
      '-i',
      '__proto__=1',
      '--context',
      '__proto__=1',
    );
    assert.deepEqual(
      proto.problems?.map(({ path }) => path),
      ['--input __proto__', '--context __proto__'],
    );
  });

  test('an unknown name and a file that is not there exit 4', async () => {
    assert.equal((await refused(4, 'run', 'nosuch')).code, 'WORKFLOW_NOT_FOUND');
    assert.equal((await refused(4, 'show', 'nosuch')).code, 'WORKFLOW_NOT_FOUND');
    const near = await refused(4, 'run', 'tniy');
    assert.equal(near.message, 'no workflow is called "tniy"; did you mean "tiny"?');
    assert.equal((await refused(4, 'unregister', 'nosuch')).code, 'WORKFLOW_NOT_FOUND');
    for (const command of ['run', 'show', 'validate', 'register']) {
      const error = await refused(4, command, 'nosuch.json');
      assert.equal(
        error.message,
        `cannot read ${join(bench.workspace, 'nosuch.json')}: there is no such file`,
      );
      const mistyped = await refused(4, command, join(folder, 'invlaid.json'));
      assert.match(mistyped.message, new RegExp(`did you mean "${join(folder, 'invalid.json')}"\\?$`));
    }
  });

  test('an invalid definition exits 3 with all its problems and their paths', async () => {
    const paths = ['$.version', '$.steps[0].skill', '$.steps[1].condition', '$.steps[1].steps'];
    for (const command of ['run', 'show', 'register']) {
      const error = await refused(3, command, join(folder, 'invalid.json'));
      assert.equal(error.code, 'DEFINITION_INVALID');
      assert.deepEqual(
        error.problems?.map(({ path }) => path),
        paths,
      );
    }
    const validated = await bench.q('validate', join(folder, 'invalid.json'), '--json');
    assert.equal(validated.status, 3);
    const result = JSON.parse(validated.stdout) as { is_valid: boolean; problems: readonly Problem[] };
    assert.equal(result.is_valid, false);
    assert.deepEqual(
      result.problems.map(({ path }) => path),
      paths,
    );
  });

  test('a missing skill is refused by run with the nearest name and only warned of by validate', async () => {
    const error = await refused(3, 'run', 'missing');
    assert.deepEqual([error.code, error.problems?.[0]?.suggestion], ['SKILL_NOT_FOUND', 'say']);
    const { status, stdout } = await bench.q('validate', join(folder, 'missing.json'));
    assert.equal(status, 0);
    assert.match(
      stdout,
      /is valid: missing 1\.0\.0 \(1 warning\)\n {2}\$\.steps\[0\]\.skill: warning: no skill is called "sya"/,
    );
  });

  test('one broken, unreadable or strange file does not hide the others from list', async () => {
    writeFileSync(join(folder, 'broken.json'), '{"name": "bro');
    mkdirSync(join(folder, 'folder.json'));
    symlinkSync('/nonexistent', join(folder, 'dangling.json'));
    writeFileSync(join(folder, 'huge.json'), '');
    truncateSync(join(folder, 'huge.json'), 64 * 1024 * 1024);
    assert.equal(spawnSync('mkfifo', [join(folder, 'fifo.json')]).status, 0);
    const strange = ['broken', 'dangling', 'fifo', 'folder', 'huge'];
    try {
      const list = (await bench.json('list')) as readonly WorkflowSummary[];
      const valid = list.filter((entry) => entry.is_valid).map((entry) => entry.name);
      assert.deepEqual(valid, ['inputs', 'missing', 'tiny']);
      const broken = list.filter((entry) => !entry.is_valid);
      assert.deepEqual(
        broken.map((entry) => entry.name),
        [...strange, 'invalid'].sort(),
      );
      for (const entry of broken) assert.notEqual(entry.problems.length, 0, entry.name);
      assert.match((await bench.q('list')).stdout, /broken .* 1 problem: q workflow validate/);
    } finally {
      for (const name of strange) rmSync(join(folder, `${name}.json`), { recursive: true });
    }
  });

  test('a FIFO or a device as the file is refused and the supervisor goes on', async () => {
    const fifo = join(bench.workspace, 'fifo.json');
    assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
    for (const file of [fifo, '/dev/zero'])
      for (const command of ['run', 'show', 'validate', 'register'])
        assert.match((await refused(4, command, file)).message, /: it is no regular file$/);
    assert.match((await refused(4, 'run', `${folder}/`)).message, /: it is a folder$/);
    assert.equal((await bench.q('supervisor', 'status')).status, 0);
  });

  test('a registered workflow runs by its name from another folder, as it was registered', async () => {
    const file = join(bench.workspace, 'other.json');
    const definition = (text: string): string =>
      JSON.stringify({
        name: 'other',
        version: '2.0.0',
        steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text } }],
      });
    writeFileSync(file, definition('as registered'));
    assert.deepEqual(await bench.json('register', 'other.json'), {
      name: 'other',
      version: '2.0.0',
      number: 1,
      is_new: true,
      replaces: null,
      problems: [],
    });
    writeFileSync(file, definition('changed'));
    const shown = (await bench.json('show', 'other')) as WorkflowSummary;
    assert.deepEqual([shown.source, shown.version, shown.is_valid], ['registered', '2.0.0', true]);
    const run = (await bench.json('run', 'other')) as StatusDocument;
    assert.deepEqual(run.steps[0]?.outputs, { text: 'as registered', stdout: 'as registered' });
    assert.deepEqual(await bench.json('unregister', 'other'), { name: 'other' });
    assert.equal((await bench.q('run', 'other')).status, 4);
    const path = (await bench.json('show', 'other.json')) as WorkflowSummary;
    assert.deepEqual([path.source, path.file], ['file', file]);
  });

  test('resume refuses what changed on disk, names it, and goes on with what was pinned when asked', async () => {
    const shell = (script: string): void => {
      bench.skill('turn', { type: 'code_inline', command: 'sh', args: ['-c', script] });
    };
    shell('test -f ready');
    bench.workflow('turning', { steps: [{ id: 'a', type: 'skill', skill: 'turn' }] });
    const failed = JSON.parse((await bench.q('run', 'turning', '--json')).stdout) as StatusDocument;
    shell('echo other');
    const changed = await refused(3, 'resume', failed.id);
    assert.equal(changed.code, 'PIN_CHANGED');
    assert.match(
      lines(changed.problems).join('\n'),
      /turn\.json: the skill turn changed since the run began$/,
    );
    assert.match(changed.hint, new RegExp(`^q workflow resume ${failed.id} --pinned goes on with`));
    rmSync(join(bench.workspace, '.q-skills', 'turn.json'));
    const gone = await refused(3, 'resume', failed.id);
    assert.equal(gone.code, 'PIN_CHANGED');
    assert.match(lines(gone.problems).join('\n'), /^step a: no skill is called "turn"$/);
    writeFileSync(join(bench.workspace, 'ready'), '');
    const { stdout } = await bench.q('resume', failed.id, '--pinned', '--json');
    assert.equal((JSON.parse(stdout) as StatusDocument).status, 'completed');
  });

  test('a file that changed after it was registered, but before the run, is no obstacle to resume', async () => {
    const file = join(bench.workspace, 'again.json');
    const step = { id: 'a', type: 'skill', skill: 'once' };
    const definition = (version: string): string => JSON.stringify({ name: 'again', version, steps: [step] });
    bench.skill('once', {
      type: 'code_inline',
      command: 'sh',
      args: ['-c', 'test -e tried || { touch tried; exit 1; }'],
    });
    writeFileSync(file, definition('1.0.0'));
    await bench.json('register', 'again.json');
    writeFileSync(file, definition('1.0.1'));
    const failed = JSON.parse((await bench.q('run', 'again', '--json')).stdout) as StatusDocument;
    assert.deepEqual([failed.status, failed.version], ['failed', '1.0.0']);
    const resumed = (await bench.json('resume', failed.id)) as StatusDocument;
    assert.deepEqual([resumed.status, resumed.steps[0]?.attempts], ['completed', 2]);
  });
});
