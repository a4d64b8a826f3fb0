import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../../src/protocol/control.ts';
import { type Bench, eventually, finish, openBench, ROOT } from '../../setup/bench-home.ts';

describe('logs', { timeout: 300_000 }, () => {
  let bench: Bench;
  let plain: StatusDocument;
  before(async () => {
    bench = openBench();
    bench.script('both.sh', 'echo out; sleep 0.1; echo err >&2; sleep 0.1; printf last');
    bench.script(
      'rude.sh',
      String.raw`printf '\033[2J\033[31mred\033[0m \033]0;title\007\033]8;;http://x\033\\link\rover\b\t\302\233\342\200\256end\n'`,
    );
    bench.script(
      'live.sh',
      'echo first; printf "half a "; until [ -e go ]; do sleep 0.05; done; echo line; sleep 0.1; echo late >&2; sleep 0.1; printf tail',
    );
    for (const name of ['both', 'rude', 'live'])
      bench.skill(name, { type: 'code_inline', command: 'sh', args: [`${name}.sh`] });
    const step = (id: string): object => ({ id, type: 'skill', skill: id });
    bench.workflow('plain', {
      steps: [step('both'), { id: 'group', type: 'parallel', wait_for: 'all', steps: [step('rude')] }],
    });
    bench.workflow('live', { steps: [step('live')] });
    plain = (await bench.json('run', 'plain')) as StatusDocument;
    assert.equal(plain.status, 'completed');
  });
  after(() => bench.close());

  const lines = async (...args: readonly string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await bench.q('logs', ...args);
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.split('\n');
  };

  test('prints both streams and a last line without an end, each with its step', async () => {
    assert.deepEqual((await lines(plain.id)).slice(0, 3), ['both │ out', 'both │ err', 'both │ last']);
  });

  test('escapes of a step reach the terminal only with --raw', async () => {
    assert.deepEqual(await lines(plain.id, '--step', 'group/rude'), ['red link over end', '']);
    const [raw] = await lines(plain.id, '--step', 'group/rude', '--raw');
    assert.ok(raw?.startsWith('\u001b[2J\u001b[31mred\u001b[0m \u001b]0;title\u0007'));
  });

  test('--step takes a step or a folder of steps, and refuses one that has written nothing', async () => {
    assert.deepEqual(await lines(plain.id, '--step', 'both'), ['out', 'err', 'last', '']);
    assert.deepEqual(await lines(plain.id, '--step', 'group'), ['group/rude │ red link over end', '']);
    const { status, stderr } = await bench.q('logs', plain.id, '--step', 'nosuch');
    assert.equal(status, 4);
    assert.match(stderr, /no step of \w{10} at "nosuch" has written a log \[STEP_NOT_FOUND\]/);
  });

  test('a typo of a step is told, also of the group that it is in', async () => {
    for (const [typo, meant] of [
      ['boht', 'both'],
      ['group/rdue', 'group/rude'],
      ['gruop', 'group'],
    ] as const) {
      const { stderr } = await bench.q('logs', plain.id, '--step', typo);
      assert.ok(stderr.includes(`did you mean "${meant}"?`), stderr);
    }
  });

  test('--stream, --grep and --tail leave out the rest', async () => {
    assert.deepEqual(await lines(plain.id, '--stream', 'stderr'), ['both │ err', '']);
    assert.deepEqual(await lines(plain.id, '--grep', '^(out|last)$', '--tail', '1'), ['both │ last', '']);
    assert.deepEqual(await lines(plain.id, '--tail', '2'), [
      'both │ last',
      'group/rude │ red link over end',
      '',
    ]);
    assert.deepEqual(await lines(plain.id, '--tail', '0'), ['']);
    const { status, stderr } = await bench.q('logs', plain.id, '--grep', '(');
    assert.equal(status, 2);
    assert.match(stderr, /--grep takes a regular expression, and "\(" is none/);
  });

  test('steps that run at once are merged by time', async () => {
    bench.script(
      'a.sh',
      'echo 1; touch turn-b-1; until [ -e turn-a-2 ]; do sleep 0.02; done; sleep 0.01; echo 3',
    );
    bench.script('b.sh', 'until [ -e turn-b-1 ]; do sleep 0.02; done; sleep 0.01; echo 2; touch turn-a-2');
    for (const name of ['a', 'b'])
      bench.skill(name, { type: 'code_inline', command: 'sh', args: [`${name}.sh`] });
    const steps = ['a', 'b'].map((id) => ({ id, type: 'skill', skill: id }));
    bench.workflow('turns', { steps: [{ id: 'p', type: 'parallel', wait_for: 'all', steps }] });
    const { id, status } = (await bench.json('run', 'turns')) as StatusDocument;
    assert.equal(status, 'completed');
    assert.deepEqual(await lines(id), ['p/a │ 1', 'p/b │ 2', 'p/a │ 3', '']);
  });

  test('--since leaves out what is older', async () => {
    assert.equal((await lines(plain.id, '--since', '1h')).length, 5);
    assert.deepEqual(await lines(plain.id, '--since', '2999-01-01'), ['']);
    const [first] = await documents(plain.id);
    assert.equal((await lines(plain.id, '--since', String(first?.time))).length, 5);
  });

  interface LogDocument {
    readonly time: string;
    readonly step: string;
    readonly attempt: number;
    readonly stream: string;
    readonly text: string;
  }
  const documents = async (id: string): Promise<LogDocument[]> =>
    (await lines(id, '--json')).filter(Boolean).map((line) => JSON.parse(line) as LogDocument);

  test('--json is one object a line, with the text as it was', async () => {
    const [out, err, last, rude] = await documents(plain.id);
    const { time, ...rest } = out ?? { time: '' };
    assert.deepEqual(rest, { step: 'both', attempt: 1, stream: 'stdout', text: 'out' });
    assert.ok(Math.abs(Date.parse(time) - Date.parse(plain.started_at ?? '')) < 10_000);
    assert.deepEqual([err?.stream, last?.stream], ['stderr', 'stdout']);
    assert.deepEqual([rude?.step, rude?.text.startsWith('\u001b[2J')], ['group/rude', true]);
  });

  test('-f prints whole lines as they come, and ends with the run', async () => {
    const { id } = (await bench.json('run', 'live', '--detach')) as { id: string };
    const child = bench.start(['logs', id, '-f', '--step', 'live']);
    let soFar = '';
    child.stdout?.on('data', (chunk) => {
      soFar += String(chunk);
    });
    const followed = finish(child);
    await eventually('the first line', () => soFar.includes('first\n'));
    assert.equal(soFar, 'first\n');
    bench.script('go', '');
    assert.deepEqual(await followed, { status: 0, stdout: 'first\nhalf a line\nlate\ntail\n', stderr: '' });
    const again = await bench.q('logs', id, '-f', '--step', 'live');
    assert.deepEqual([again.status, again.stdout], [0, 'first\nhalf a line\nlate\ntail\n']);
  });

  test('-f of a run that is stopped ends too, and a reader that leaves ends it silently', async () => {
    bench.workflow('forever', { steps: [{ id: 'live', type: 'skill', skill: 'yes' }] });
    bench.skill('yes', {
      type: 'code_inline',
      command: 'sh',
      args: ['-c', 'while :; do echo y; sleep 0.02; done'],
    });
    const { id } = (await bench.json('run', 'forever', '--detach')) as { id: string };
    const shell = spawn(
      'bash',
      ['-c', `"$0" workflow logs ${id} -f | head -n 3; exit "\${PIPESTATUS[0]}"`, join(ROOT, 'bin', 'q')],
      {
        cwd: bench.workspace,
        env: bench.env,
      },
    );
    assert.deepEqual(await finish(shell), { status: 0, stdout: 'live │ y\n'.repeat(3), stderr: '' });
    const followed = bench.q('logs', id, '-f');
    assert.equal((await bench.q('stop', id)).status, 0);
    assert.equal((await followed).status, 0);
  });

  test('a dropped part is one line that says how many bytes are gone', async () => {
    bench.workflow('cut', { steps: [{ id: 'both', type: 'skill', skill: 'both' }] });
    const { id } = (await bench.json('run', 'cut')) as StatusDocument;
    const folder = join(bench.home, 'instances', id);
    const [file = ''] = readdirSync(folder).filter((name) => /^step-.*\.idx$/.test(name));
    const base = join(folder, file.slice(0, -'.idx'.length));
    for (const kind of ['idx', 'log']) renameSync(`${base}.${kind}`, `${base}.1234.${kind}`);
    const gone = '[1234 bytes are gone: this log grew over its size and its oldest part was dropped]';
    assert.deepEqual(await lines(id), [`both │ ${gone}`, 'both │ out', 'both │ err', 'both │ last', '']);
    assert.deepEqual(await lines(id, '--step', 'both'), [gone, 'out', 'err', 'last', '']);
    const [gap, out] = (await lines(id, '--json')).slice(0, 2).map((line) => JSON.parse(line) as object);
    assert.deepEqual(gap, {
      ...out,
      stream: null,
      text: null,
      gone_bytes: 1234,
    });
  });

  test('-f loses and repeats nothing of a log that is turned over while it is written', async () => {
    const count = 900_000;
    bench.skill('fast', {
      type: 'code_inline',
      command: 'seq',
      args: ['-f', '%0100.0f', '1', String(count)],
    });
    bench.workflow('fast', { steps: [{ id: 'fast', type: 'skill', skill: 'fast' }] });
    const { id } = (await bench.json('run', 'fast', '--detach')) as { id: string };
    const child = bench.start(['logs', id, '-f', '--step', 'fast']);
    const out = child.stdout;
    assert.ok(out !== null);
    let next = 1;
    for await (const line of createInterface({ input: out })) {
      if (Number(line) !== next) assert.fail(`line ${next} is "${line.slice(0, 200)}"`);
      next += 1;
    }
    assert.equal(next, count + 1);
    const turned = readdirSync(join(bench.home, 'instances', id)).filter((name) => name.endsWith('.log'));
    assert.ok(turned.length > 1, 'it was not turned over');
  });

  test('-f goes on when the supervisor is killed and another comes, and says so when none does', async () => {
    const gate = (name: string): string => `until [ -e ${name} ]; do sleep 0.05; done`;
    bench.script(
      'long.sh',
      `for i in 1 2 3; do echo before $i; done; ${gate('on')}; echo after; ${gate('end')}`,
    );
    bench.skill('long', { type: 'code_inline', command: 'sh', args: ['long.sh'] });
    bench.workflow('long', { steps: [{ id: 'long', type: 'skill', skill: 'long' }] });
    const { id } = (await bench.json('run', 'long', '--detach')) as { id: string };
    const child = bench.start(['logs', id, '-f', '--step', 'long']);
    const other = bench.start(['logs', id, '-f', '--step', 'long']);
    const followed = finish(child);
    let seen = '';
    other.stdout?.on('data', (text) => {
      seen += String(text);
    });
    await eventually('the first lines', () => seen === 'before 1\nbefore 2\nbefore 3\n');
    other.kill('SIGKILL');
    let told = '';
    child.stderr?.on('data', (text) => {
      told += String(text);
    });
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    await eventually('the word about it', () => told !== '');
    // The run goes on without one, and so does its log.
    writeFileSync(join(bench.workspace, 'on'), '');
    await bench.q('supervisor', 'start');
    writeFileSync(join(bench.workspace, 'end'), '');
    assert.deepEqual(await followed, {
      status: 0,
      stdout: 'before 1\nbefore 2\nbefore 3\nafter\n',
      stderr: 'the supervisor went away; looking for the next one\n',
    });

    rmSync(join(bench.workspace, 'go'), { force: true });
    const again = (await bench.json('run', 'live', '--detach')) as { id: string };
    const alone = bench.start(['logs', again.id, '-f']);
    const left = finish(alone);
    await eventually('its first line', () => new Promise((resolve) => alone.stdout?.once('data', resolve)));
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    const { status, stderr } = await left;
    assert.equal(status, 5);
    assert.match(
      stderr,
      /the supervisor went away while \w{10} was running, and none has come since; the run goes on/,
    );
    // Without one nobody would end what goes on when the bench is closed.
    await bench.q('supervisor', 'start');
  });
});
