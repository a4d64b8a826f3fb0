/** Commands of pages that speak of a run, a version or a file of the reader's: each is run, with ours in their places. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import { type Bench, eventually, finish, openBench, ROOT } from '../setup/bench-home.ts';
import { blocksOf } from '../setup/doc-commands.ts';

type Change = (command: string) => string | null;

/** The commands of a page's blocks that match; without what is said about them, and with `change` made to each. */
function commandsOf(page: string, only: RegExp, change: Change = (command) => command): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const found = blocksOf(text)
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(({ language, lines }) =>
      lines.flatMap((line) => (language === 'sh' ? [line] : line.startsWith('$ ') ? [line.slice(2)] : [])),
    )
    .map((line) => line.replace(/ +# .*$/, ''))
    .filter((line) => only.test(line))
    .map(change)
    .filter((command) => command !== null);
  assert.ok(found.length > 0, `${page} has no such commands`);
  return found;
}

async function runEach(bench: Bench, commands: readonly string[], statuses = [0]): Promise<void> {
  for (const command of commands) {
    const env = { ...bench.env, PATH: `${join(ROOT, 'bin')}:${bench.env['PATH']}` };
    const ran = await finish(spawn('bash', ['-c', command], { cwd: bench.workspace, env }));
    assert.ok(
      statuses.includes(ran.status ?? -1),
      `exit ${ran.status} of ${command}:\n${ran.stdout}${ran.stderr}`,
    );
  }
}

async function withBench(act: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = openBench();
  try {
    await act(bench);
  } finally {
    await bench.close();
  }
}

const asks = (id: string): object => ({ id, type: 'approval', message: `${id}?` });

describe('commands of the reference pages do what the pages say of them', { timeout: 280_000 }, () => {
  test('docs/command-line.md', () =>
    withBench(async (bench) => {
      bench.skill('build', {
        type: 'code_inline',
        command: 'sh',
        args: ['-c', 'echo built; echo refused >&2'],
      });
      bench.skill('publish', { type: 'code_inline', command: 'test', args: ['-e', 'published'] });
      const steps = ['build', 'publish'].map((skill) => ({ id: skill, type: 'skill', skill }));
      const versions = [{ steps }, { steps, description: 'the second' }];
      const ids: string[] = [];
      for (const [index, version] of versions.entries()) {
        const file = bench.workflow('deploy', { version: `1.4.${index + 1}`, ...version });
        assert.equal((await bench.q('register', file)).status, 0);
        const { status } = await bench.q('run', 'deploy');
        assert.equal(status, 1, 'nothing is published yet');
        ids.push(((await bench.json('status', 'latest')) as { id: string }).id);
      }
      bench.script('published', '');
      // Else the name means the file of the workspace, which is the second.
      rmSync(bench.workflow('deploy', {}));
      const listed = (await bench.json('list', 'deploy', '--versions')) as { definition: string }[];
      const hash = listed.at(-1)?.definition ?? '';
      const commands = commandsOf('docs/command-line.md', /^q workflow /, (command) =>
        command.startsWith('q workflow completion')
          ? null
          : command.replace('4kz', ids[0] ?? '').replace('3fa9c2', hash.slice(0, 6)),
      );
      assert.ok(commands.length >= 11);
      await runEach(bench, commands);
      const inner = commandsOf('docs/command-line.md', /completion/, (command) =>
        (/q workflow completion \w+/.exec(command)?.at(0) ?? '').replace(/bash$/, 'bash | bash -n'),
      );
      await runEach(bench, inner);
    }));

  test('docs/approvals.md', () =>
    withBench(async (bench) => {
      bench.workflow('release', { steps: [asks('first'), asks('second')] });
      await bench.q('run', 'release', '--detach');
      const { id } = (await bench.json('status', 'latest')) as { id: string };
      for (const command of commandsOf('docs/approvals.md', /^q workflow (approve|deny|approvals)/)) {
        const wanted = command.includes('deny') ? 'second' : 'first';
        const isDecision = !command.includes('approvals');
        if (isDecision)
          await eventually(`${wanted} waits`, async () =>
            ((await bench.json('approvals', id)) as ApprovalDocument[]).some(
              ({ step, status }) => step === wanted && status === 'pending',
            ),
          );
        await runEach(bench, [command.replace('4kz', id)]);
      }
      const decided = (await bench.json('approvals', id, '--all')) as ApprovalDocument[];
      assert.deepEqual(
        decided.map(({ step, status, decided: by }) => [step, status, by?.reason]),
        [
          ['first', 'approved', null],
          ['second', 'denied', 'use the queue'],
        ],
      );
    }));

  test('docs/create.md', async () => {
    const text = readFileSync(join(ROOT, 'docs/create.md'), 'utf8');
    const [answers] = blocksOf(text).filter(({ language }) => language === 'json');
    // A draft by the model needs one: test/wizard has that.
    const commands = commandsOf('docs/create.md', /--from/);
    assert.equal(commands.length, 4);
    for (const command of commands)
      await withBench(async (bench) => {
        bench.script('answers.json', (answers?.lines ?? []).join('\n'));
        const isRun = command.includes('--run');
        // The run of it sends no mail here.
        await runEach(bench, [command], isRun ? [1, 2] : [0]);
      });
  });

  test('docs/operations.md', () =>
    withBench(async (bench) => {
      const state = '/home/me/.local/state/q-workflow';
      await bench.q('supervisor', 'start');
      await runEach(bench, commandsOf('docs/operations.md', /supervisor (status|backup)/));
      const made = (await bench.json('supervisor', 'backup')) as { file: string };
      await bench.q('supervisor', 'stop');
      await runEach(
        bench,
        commandsOf('docs/operations.md', /supervisor restore \//, (command) =>
          command.replace(new RegExp(`${state}/backups/\\S+`), made.file),
        ),
      );
      await runEach(bench, commandsOf('docs/operations.md', /supervisor start/));
    }));

  test('docs/hook.md', () =>
    withBench(async (bench) => {
      const commands = commandsOf('docs/hook.md', /q-workflow hook/, (command) =>
        command.replace('q-workflow', 'q workflow'),
      );
      // No policy allows a push.
      await runEach(bench, commands, [2]);
    }));
});
