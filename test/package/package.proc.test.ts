import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Finished, finish, ROOT } from '../setup/bench-home.ts';
import {
  install,
  makeHost,
  makeProgram,
  type Packed,
  packPackage,
  readme,
  remove,
  temporaryFolder,
  versionOf,
} from '../setup/packed.ts';

const MEGABYTE = 1_000_000;
/** Of the tarball and of what is in it. What grows beyond it needs a reason, and new figures in the README. */
const MOST_PACKED = 6.5 * MEGABYTE;
const MOST_UNPACKED = 22 * MEGABYTE;
const EXPECTED =
  /^(LICENSE|README\.md|package\.json|oclif\.manifest\.json|dist\/THIRD-PARTY-LICENSES\.txt|bin\/(find-node|q|q-workflow)|dist\/[\w./-]+\.c?js(\.[\w-]+\.cache)?|policies\/[\w.-]+\.json|schema\/[\w.-]+\.json|scripts\/verify-audit\.mjs|man\/[\w./-]+)$/;

describe('the packed package', { timeout: 280_000 }, () => {
  const base = temporaryFolder();
  const home = join(base, 'state');
  const workspace = join(base, 'workspace');
  let packed: Packed;
  before(() => {
    packed = packPackage(base);
    mkdirSync(join(workspace, '.q-skills'), { recursive: true });
    const skill = { name: 'greet', type: 'code_inline', command: 'echo', args: ['hello {name}'] };
    writeFileSync(join(workspace, '.q-skills', 'greet.json'), JSON.stringify(skill));
    const step = { id: 'greet', type: 'skill', skill: 'greet', inputs: { name: 'world' } };
    const workflow = { name: 'greeting', version: '1.0.0', steps: [step] };
    writeFileSync(join(workspace, 'greeting.json'), JSON.stringify(workflow));
  });
  after(() => remove(base));

  /** No HOME, PATH and state but those of the test: nothing of this clone can be found by chance. */
  function run(program: string, args: readonly string[], path: readonly string[] = []): Promise<Finished> {
    const env = {
      PATH: [...path, '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter),
      HOME: base,
      Q_WORKFLOW_HOME: home,
      Q_WORKFLOW_SYSLOG: 'off',
    };
    const child: ChildProcess = spawn(program, args, { cwd: workspace, env });
    return finish(child);
  }

  function assertGreeted({ status, stdout, stderr }: Finished): void {
    assert.equal(status, 0, stdout + stderr);
    const { steps } = JSON.parse(stdout) as StatusDocument;
    assert.match(JSON.stringify(steps[0]?.outputs), /"stdout":"hello world"/);
  }

  test('holds what runs and nothing else, and is as large as the README says', () => {
    const unexpected = packed.paths.filter((path) => !EXPECTED.test(path));
    assert.deepEqual(unexpected, []);
    for (const path of [
      'dist/cli/main.cjs',
      'dist/commands/workflow/run.js',
      'dist/supervisor/main.cjs',
      'dist/THIRD-PARTY-LICENSES.txt',
    ])
      assert.ok(packed.paths.includes(path), `${path} is missing`);
    assert.ok(packed.size < MOST_PACKED, `${packed.size} bytes packed`);
    assert.ok(packed.unpackedSize < MOST_UNPACKED, `${packed.unpackedSize} bytes unpacked`);
    const [, small = '', large = ''] = /package is ([\d.]+) MB, ([\d.]+) MB unpacked/.exec(readme()) ?? [];
    assert.ok(Math.abs(Number(small) - packed.size / MEGABYTE) < 0.5, `README: ${small}, is ${packed.size}`);
    assert.ok(
      Math.abs(Number(large) - packed.unpackedSize / MEGABYTE) < 2,
      `README: ${large}, is ${packed.unpackedSize}`,
    );
  });

  test('brings the licenses of the packages whose code it holds', () => {
    const text = readFileSync(join(ROOT, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(dependencies)) {
      const [, after = ''] = text.split(`\n${name} ${version} (`);
      assert.match(after.slice(0, 500), /license/i, name);
    }
    assert.doesNotMatch(text, /^(esbuild|typescript) /m);
  });

  test('needs no script at its installation', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[name], undefined, name);
  });

  test('installed globally, q-workflow runs a workflow with and without the word workflow', async (t) => {
    const prefix = join(base, 'global');
    const lacks = install(['--global', '--prefix', prefix, packed.file], base);
    if (lacks !== null) {
      t.skip(lacks);
      return;
    }
    const program = join(prefix, 'bin', 'q-workflow');
    t.after(() => run(program, ['supervisor', 'stop', '--instances', 'stop']));
    assertGreeted(await run(program, ['run', 'greeting.json', '--json']));
    assertGreeted(
      await run('q-workflow', ['workflow', 'run', 'greeting.json', '--json'], [join(prefix, 'bin')]),
    );
    const supervisor = await run(program, ['supervisor', 'status', '--json']);
    const { pid } = JSON.parse(supervisor.stdout) as { pid: number };
    const node = readlinkSync(`/proc/${pid}/exe`);
    assert.ok(node.startsWith(prefix), `the supervisor runs under ${node}, not the Node of the package`);
    const version = await run(program, ['--version']);
    assert.match(version.stdout, /^q-workflow\/\d+\.\d+\.\d+ linux-\w+ node-v24\./);
  });

  test('as a plugin of a host named q', async (t) => {
    const host = join(base, 'host');
    // The last oclif that runs under Node 20; ours needs 22.
    makeHost(host, '4');
    const lacks = install([packed.file], host);
    if (lacks !== null) {
      t.skip(lacks);
      return;
    }
    const main = join(host, 'bin', 'q.js');
    const pinned = join(host, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
    const older = ['/usr/local/bin/node', '/usr/bin/node'].find(
      (node) => canRun(node) && versionOf(node) < 24,
    );
    const nodes = [pinned, ...(older === undefined ? [] : [older])];
    t.after(() => run(pinned, [main, 'workflow', 'supervisor', 'stop', '--instances', 'stop']));
    const other = join(base, 'other');
    makeProgram(other, 'q', 'echo "the real q: $*"; exit 9');

    for (const node of nodes)
      await t.test(`under Node ${versionOf(node)}`, async () => {
        assertGreeted(await run(node, [main, 'workflow', 'run', 'greeting.json', '--json']));

        const wrong = await run(node, [main, 'workflow', 'rn', 'greeting.json'], [other]);
        assert.equal(wrong.status, 2);
        assert.match(wrong.stderr, /workflow rn is not a command/);
        assert.match(wrong.stderr, /Did you mean q workflow run\?/);
        const missing = await run(node, [main, 'workflow', 'status', 'zzz'], [other]);
        assert.equal(missing.status, 4, missing.stderr);

        const passed = await run(node, [main, 'chat', 'a  b', '--no-interactive'], [other]);
        assert.deepEqual(passed, {
          status: 9,
          stdout: 'the real q: chat a  b --no-interactive\n',
          stderr: '',
        });
      });

    await t.test(
      'without another q an unknown command is answered, also where q leads to the host',
      async () => {
        const links = join(base, 'links');
        mkdirSync(links);
        execFileSync('chmod', ['755', main]);
        symlinkSync(main, join(links, 'q'));
        const alone = await run(pinned, [main, 'chat'], [links]);
        assert.equal(alone.status, 2);
        assert.match(alone.stderr, /^error chat is not a command \[USAGE\]\n/);
      },
    );

    await t.test('a script named q that only starts the host again ends in an answer', async () => {
      const around = join(base, 'around');
      const count = join(base, 'starts');
      makeProgram(around, 'q', `echo . >> '${count}'; exec '${pinned}' '${main}' "$@"`);
      const ended = await run(pinned, [main, 'chat'], [around]);
      assert.equal(ended.status, 2);
      assert.match(ended.stderr, /chat is not a command/);
      assert.equal(readFileSync(count, 'utf8').split('\n').length - 1, 8);
    });

    await t.test(
      'an older Node with no other one beside is refused, and told why',
      { skip: older === undefined },
      async () => {
        const away = join(base, 'away');
        execFileSync('mv', [join(host, 'node_modules', `node-linux-${process.arch}`), away]);
        try {
          const refused = await run(older ?? '', [main, 'workflow', 'list']);
          assert.equal(refused.status, 127);
          assert.match(
            refused.stderr,
            /Node\.js 24 or later is needed and .* is v\d+\..*; run npm ci again without --omit=optional/,
          );
        } finally {
          execFileSync('mv', [away, join(host, 'node_modules', `node-linux-${process.arch}`)]);
        }
      },
    );
  });

  test('bin/q of a clone passes on what is not of the topic workflow', async () => {
    const other = join(base, 'other-2');
    makeProgram(other, 'q', 'echo "the real q: $*"; exit 9');
    const passed = await run(join(ROOT, 'bin', 'q'), ['chat', 'x'], [join(ROOT, 'bin'), other]);
    assert.deepEqual(passed, { status: 9, stdout: 'the real q: chat x\n', stderr: '' });
    const alone = await run(join(ROOT, 'bin', 'q'), ['chat', 'x'], [join(ROOT, 'bin')]);
    assert.equal(alone.status, 2);
    assert.match(alone.stderr, /^error chat x is not a command/);
  });
});

function canRun(node: string): boolean {
  try {
    return versionOf(node) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
