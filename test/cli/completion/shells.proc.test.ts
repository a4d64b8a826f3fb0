import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../../src/protocol/control.ts';
import { type Bench, finish, openBench, ROOT } from '../../setup/bench-home.ts';
import { lacksTmux, openTerminal } from '../../setup/terminal.ts';

const lacks = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed`;

/** Asks the function of the script, as bash does on Tab. */
const BASH_ASKS = String.raw`
eval "$(q workflow completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _q_workflow; printf '%s\n' "\${COMPREPLY[@]}"
`.replaceAll('\\$', '$');

describe('completion in a real shell', { timeout: 120_000 }, () => {
  let bench: Bench;
  let run: StatusDocument;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    bench = openBench();
    bench.skill('say', { type: 'code_inline', command: 'echo', args: ['hi'] });
    const say = (id: string): object => ({ id, type: 'skill', skill: 'say' });
    bench.workflow('deploy', {
      description: 'Brings it out.',
      inputs: { version: { type: 'string', default: '1' } },
      steps: [{ id: 'group', type: 'parallel', wait_for: 'all', steps: [say('build'), say('check')] }],
    });
    const bin = join(bench.workspace, 'bin');
    mkdirSync(bin);
    for (const name of ['q', 'q-workflow']) symlinkSync(join(ROOT, 'bin', name), join(bin, name));
    env = { ...bench.env, PATH: `${bin}${delimiter}${bench.env['PATH']}` };
    run = (await bench.json('run', 'deploy')) as StatusDocument;
    assert.equal(run.status, 'completed');
  });
  after(() => bench.close());

  const ask = async (program: string, ...args: readonly string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await finish(spawn(program, args, { cwd: bench.workspace, env }));
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.split('\n').filter(Boolean);
  };
  const bash = (...words: readonly string[]): Promise<string[]> =>
    ask('bash', '--norc', '-c', BASH_ASKS, 'bash', ...words);

  test('bash: commands, flags, workflows, instances and steps', async () => {
    assert.deepEqual(await bash('q', 'workflow', 'gr'), ['graph']);
    assert.deepEqual(await bash('q-workflow', 'workflow', 'schedule', 'tr'), ['trigger']);
    assert.deepEqual(await bash('q-workflow', 'logs', run.id, '--st'), ['--step', '--stream']);
    assert.deepEqual(await bash('q', 'workflow', 'run', 'dep'), ['deploy']);
    assert.deepEqual(await bash('q', 'workflow', 'status', run.id.slice(0, 3)), [run.id]);
    assert.deepEqual(await bash('q', 'workflow', 'logs', 'latest', '--step', 'group/b'), ['group/build']);
    assert.deepEqual(await bash('q', 'workflow', 'kill', 'workflow', ':', 'd'), ['deploy']);
    assert.deepEqual(await bash('q', 'workflow', 'validate', '.q-sk'), ['.q-skills']);
  });

  test('bash: what q completes besides goes on', async () => {
    const other = `other() { COMPREPLY=(chat); }; complete -F other q; ${BASH_ASKS}`;
    assert.deepEqual(await ask('bash', '--norc', '-c', other, 'bash', 'q', ''), ['chat', 'workflow']);
    assert.deepEqual(await ask('bash', '--norc', '-c', other, 'bash', 'q', 'chat', ''), ['chat']);
    assert.deepEqual(await ask('bash', '--norc', '-c', other, 'bash', 'q', 'workflow', 'gr'), ['graph']);
  });

  test('fish: commands with what they do, workflows, instances and steps', {
    skip: lacks('fish'),
  }, async () => {
    const fish = (line: string): Promise<string[]> =>
      ask('fish', '--no-config', '-c', 'q workflow completion fish | source; complete -C $argv[1]', line);
    assert.deepEqual(await fish('q workflow gr'), [
      'graph\tDraw a workflow, or an instance with the states of its steps.',
    ]);
    assert.deepEqual(await fish('q-workflow run dep'), ['deploy\tBrings it out.']);
    assert.deepEqual(await fish('q workflow logs latest --step group/c'), ['group/check\tcompleted']);
    assert.ok((await fish('q workflow status ')).includes(`${run.id}\tdeploy, completed`));
  });

  for (const [shell, start] of [
    ['bash', 'exec bash --norc --noprofile'],
    ['zsh', 'exec zsh -f'],
  ] as const)
    test(`${shell}: Tab on a terminal`, { skip: lacksTmux() || lacks(shell) }, async () => {
      const terminal = openTerminal(bench);
      try {
        terminal.run(`export PATH="${env['PATH']}"; ${start}`);
        if (shell === 'zsh') terminal.run('PS1="$ "; autoload -U compinit; compinit -u -D');
        terminal.run(`eval "$(q workflow completion ${shell})"; echo "rea""dy"`);
        await terminal.shows(/^ready$/m);
        terminal.press('q workflow logs latest --step group/b', 'Tab');
        await terminal.shows(/--step group\/build/);
        terminal.press('Enter');
        await terminal.shows(/^hi$/m);
        terminal.press('q workflow expl', 'Tab', 'STEP_OO', 'Tab');
        await terminal.shows(/explain STEP_OOM/);
        terminal.press('C-c');
        // No blank behind the `=`: the value comes next.
        terminal.press('q workflow run deploy --input ver', 'Tab');
        await terminal.shows(/--input version=/);
        terminal.press('7 --js', 'Tab');
        await terminal.shows(/--input version=7 --json/);
      } finally {
        terminal.close();
      }
    });

  test('without a supervisor, names come from the folders, and none is started', async () => {
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.deepEqual(await bash('q', 'workflow', 'run', 'dep'), ['deploy']);
    assert.deepEqual(await bash('q', 'workflow', 'logs', run.id.slice(0, 4)), [run.id]);
    assert.deepEqual((await bash('q', 'workflow', 'logs', run.id, '--step', 'group/b')).sort(), [
      'group/build',
    ]);
    assert.equal(existsSync(join(bench.home, 'control.sock')), false);
  });
});
