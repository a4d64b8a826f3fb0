import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, finish, openBench, ROOT } from '../setup/bench-home.ts';

/** Arguments after `q workflow`, the exit status, and what the two lines on stderr say. */
const WRONG: readonly [args: readonly string[], error: RegExp, hint: RegExp][] = [
  [['rn', 'x'], /^error workflow rn is not a command \[USAGE\]$/, /Did you mean q workflow run\?/],
  [['lst'], /workflow lst is not a command/, /Did you mean q workflow list\?/],
  [
    ['supervisor', 'stp'],
    /workflow supervisor stp is not a command/,
    /Did you mean q workflow supervisor stop\?/,
  ],
  [['abrakadabra'], /workflow abrakadabra is not a command/, /Run q workflow --help/],
  [
    ['run', 'x', '--inptu', 'a=1'],
    /Nonexistent flag: --inptu/,
    /Did you mean --input\? Run q workflow run --help\./,
  ],
  [
    ['run'],
    /^error WORKFLOW is missing: name or name@version of a workflow, path of a file, or - for standard input \[USAGE\]$/,
    /run --help/,
  ],
  [
    ['rearm', 'global'],
    /^error --reason is missing: why it is safe again; goes into the audit \[USAGE\]$/,
    /rearm --help/,
  ],
  [['rearm'], /^error SCOPE is missing: as given to kill \[USAGE\]$/, /rearm --help/],
  [
    ['supervisor', 'restart'],
    /workflow supervisor restart is not a command/,
    /supervisor stop, then q workflow/,
  ],
  [['schedule', 'lists'], /is not a command/, /Did you mean q workflow schedule list\?/],
  [['schedule', 'abrakadabra'], /is not a command/, /Run q workflow schedule --help to see the commands\./],
  [['ls'], /workflow ls is not a command/, /Did you mean q workflow list\?/],
  [['run', 'x', 'a=1'], /Unexpected argument: a=1/, /Did you mean --input a=1\? Run q workflow run --help\./],
  [
    ['run', 'x', '--dry-run'],
    /Nonexistent flag: --dry-run/,
    /validate <file> checks it and q workflow graph/,
  ],
  [['logs'], /ID is missing/, /^hint +latest is the newest instance\. Run q workflow logs --help\.$/],
  [['run', 'x', '--input'], /Flag --input expects a value/, /run --help/],
  [
    ['run', 'x', '--input', 'novalue'],
    /--input takes name=value, and "novalue" is not of that form/,
    /--input name=value/,
  ],
  [['run', 'x', '--context', '=1'], /--context takes name=value/, /--context name=value/],
  [['list', 'a', 'extra'], /Unexpected argument: extra/, /list --help/],
  [['status', '--limit', 'many'], /Expected an integer but received: many/, /status --help/],
  [
    ['audit', 'show', 'many'],
    /^error SEQ is the number of a record, and "many" is none \[USAGE\]$/,
    /audit list shows the numbers/,
  ],
  [
    ['audit', 'show', '0'],
    /^error SEQ is the number of a record, and "0" is none \[USAGE\]$/,
    /audit list shows the numbers/,
  ],
  [['audit', 'erase', '9007199254740993'], /"9007199254740993" is none/, /audit list shows the numbers/],
  [['status', '--limit', '0'], /Expected an integer greater than or equal to 1/, /status --help/],
  [
    ['supervisor', 'stop', '--instances', 'eat'],
    /Expected --instances=eat to be one of: leave, stop/,
    /stop --help/,
  ],
  [['list', '--workspace', '/nowhere'], /the workspace \/nowhere is not a folder/, /a folder that is there/],
  [['run', 'tiny', '--workspace', '/dev/null/x'], /the workspace \/dev\/null\/x is not a folder/, /./],
  [['run', 'tiny', '--workspace', '/dev/null'], /the workspace \/dev\/null is not a folder/, /./],
  [['logs', 'latest', '--since', 'tomorrowish'], /--since takes 90s, 10m, 2h, 1d or a time/, /./],
];

describe('a wrong command line', { timeout: 60_000 }, () => {
  let bench: Bench;
  before(async () => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  });
  after(() => bench.close());

  for (const [args, error, hint] of WRONG)
    test(`"${args.join(' ')}" exits 2 with one error and one hint on stderr`, async () => {
      const { status, stdout, stderr } = await bench.q(...args);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      const lines = stderr.trimEnd().split('\n');
      assert.equal(lines.length, 2, stderr);
      assert.match(lines[0] ?? '', error);
      assert.match(lines[1] ?? '', hint);
      assert.match(lines[1] ?? '', /^hint {2}/);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });

  test('with --json the same errors are one document on stdout and nothing on stderr', async () => {
    for (const args of [['lst'], ['run'], ['run', 'x', '--inptu', 'a'], ['status', '--limit', 'x']]) {
      const { status, stdout, stderr } = await bench.q(...args, '--json');
      assert.equal(status, 2);
      assert.equal(stderr, '');
      const { error } = JSON.parse(stdout) as {
        error: { code: string; message: string; hint: string; step: null };
      };
      assert.deepEqual([error.code, error.step], ['USAGE', null]);
      assert.notEqual(error.hint, '');
    }
  });

  test('a flag before the command is pointed out', async () => {
    const { status, stderr } = await installed(bench, '--json', 'list');
    assert.equal(status, 2);
    assert.equal(stderr, '');
    const nested = await bench.q('--workspace', '/tmp', 'list');
    assert.equal(nested.status, 2);
    assert.match(nested.stderr, /the flag --workspace stands before the command/);
  });

  test('help is printed for the topic, a command and the word help, with exit 0 on stdout', async () => {
    for (const args of [[], ['--help'], ['help'], ['run', '--help'], ['help', 'run'], ['supervisor']]) {
      const { status, stdout, stderr } = await bench.q(...args);
      assert.deepEqual([status, stderr], [0, ''], args.join(' '));
      assert.match(stdout, args.includes('run') ? /\$ q workflow run WORKFLOW/ : /COMMANDS/);
    }
  });

  test('-h and -v alone mean --help and --version, of the host and of the program alone', async () => {
    for (const file of ['q', 'q-workflow'])
      for (const [short, long] of [
        ['-h', '--help'],
        ['-v', '--version'],
      ] as const) {
        const [asked, meant] = await Promise.all(
          [short, long].map((flag) => finish(spawn(join(ROOT, 'bin', file), [flag], { env: bench.env }))),
        );
        assert.deepEqual([asked?.status, asked?.stderr], [0, ''], `${file} ${short}`);
        assert.equal(asked?.stdout, meant?.stdout);
      }
  });

  test('help as the first word means the same, alone and as a host', async () => {
    const page = (await bench.q('run', '--help')).stdout;
    const host = spawn(join(ROOT, 'bin', 'q'), ['help', 'workflow', 'run'], { env: bench.env });
    assert.equal((await finish(host)).stdout, page);
    const own = (await installed(bench, 'run', '--help')).stdout;
    for (const args of [
      ['help', 'run'],
      ['help', 'workflow', 'run'],
    ]) {
      const { status, stdout } = await installed(bench, ...args);
      assert.deepEqual([status, stdout], [0, own], args.join(' '));
    }
    assert.match((await installed(bench, 'help')).stdout, /COMMANDS/);
  });

  test('in a folder that was removed the command says so', async () => {
    const folder = join(bench.workspace, 'gone');
    const script = `mkdir "$1" && cd "$1" && rmdir "$1" && exec "$2" workflow list 2>&1`;
    const child = spawn('sh', ['-c', script, 'sh', folder, join(ROOT, 'bin', 'q')], { env: bench.env });
    const { status, stdout } = await finish(child);
    assert.equal(status, 2);
    assert.match(stdout, /the current folder is not there any more \[USAGE\]/);
    assert.doesNotMatch(stdout, /\n\s+at /);
  });

  test('the page of a command begins with its examples, also by -h; what is behind -- asks for nothing', async () => {
    for (const args of [
      ['run', '--help'],
      ['run', '-h'],
      ['help', 'run'],
      ['audit', 'list', '--help'],
    ]) {
      const { status, stdout } = await bench.q(...args);
      assert.equal(status, 0, args.join(' '));
      assert.match(stdout, /^[^\n]+\n+EXAMPLES\n/, args.join(' '));
      assert.match(stdout, /\nUSAGE\n/);
    }
    const behind = await bench.q('run', '--', '--help');
    assert.notEqual(behind.status, 0);
    assert.doesNotMatch(behind.stdout, /EXAMPLES/);
  });

  test('q-workflow runs a workflow without the word workflow', async () => {
    const { status, stdout } = await installed(bench, 'run', 'tiny', '--json');
    assert.equal(status, 0);
    assert.equal((JSON.parse(stdout) as { status: string }).status, 'completed');
    const wrong = await installed(bench, 'rn', 'tiny');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /Did you mean q workflow run\?/);
    const version = await installed(bench, '--version');
    assert.equal(version.status, 0);
    assert.match(version.stdout, /^q-workflow\/\d+\.\d+\.\d+ /);
  });
});

function installed(bench: Bench, ...args: readonly string[]): ReturnType<Bench['q']> {
  return finish(spawn(join(ROOT, 'bin', 'q-workflow'), args, { cwd: bench.workspace, env: bench.env }));
}
