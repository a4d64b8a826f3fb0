import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InstanceSummary, StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { lacksTmux, openTerminal } from '../setup/terminal.ts';

describe('lists, typos, pictures and parts', { timeout: 120_000 }, () => {
  let bench: Bench;
  let run: StatusDocument;
  before(async () => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}', description: 'Says it.' });
    bench.skill('fail', { type: 'code_inline', command: 'false -x' });
    const say = (id: string): object => ({ id, type: 'skill', skill: 'say', inputs: { text: 'hi' } });
    bench.workflow('deploy', {
      description: 'Brings it out.',
      steps: [{ id: 'group', type: 'parallel', wait_for: 'all', steps: [say('build'), say('check')] }],
    });
    bench.workflow('broken', { steps: 'none' });
    bench.workflow('failing', { steps: [{ id: 'try', type: 'skill', skill: 'fail' }] });
  });
  after(() => bench.close());

  const lines = async (status: number, ...args: readonly string[]): Promise<string[]> => {
    const answer = await bench.q(...args);
    assert.deepEqual([answer.status, answer.stderr], [status, ''], answer.stdout);
    return answer.stdout.trimEnd().split('\n');
  };
  const hint = async (status: number, ...args: readonly string[]): Promise<string> => {
    const answer = await bench.q(...args);
    assert.deepEqual([answer.status, answer.stdout], [status, ''], answer.stderr);
    return answer.stderr;
  };

  test('empty states say what to do next', async () => {
    assert.match((await lines(0, 'status')).join(), /q workflow status --all/);
    assert.match((await lines(0, 'status', '--all')).join(), /q workflow run <name\|file>/);
    assert.match((await lines(0, 'schedule', 'list')).join(), /q workflow register <file>/);
    assert.match((await lines(0, 'approvals')).join(), /q workflow approvals --all/);
    assert.match((await lines(0, 'agents', 'list')).join(), /\.amazonq\/cli-agents\//);
  });

  test('a list is filtered, sorted, and printed as CSV and JSON', async () => {
    run = (await bench.json('run', 'deploy')) as StatusDocument;
    assert.equal((await bench.q('run', 'failing')).status, 1);
    const table = await lines(0, 'status', '--all', '--workflow', 'deploy');
    assert.deepEqual(
      [table.length, table[1]?.split(/ +/).slice(0, 5)],
      [2, [run.id, 'deploy', '1.0.0', '✓', 'completed']],
    );
    assert.deepEqual(await lines(0, 'status', '-a', '--filter', 'status=killed'), [
      'None of 2 matches status=killed. Leave it out to see them all.',
    ]);
    const csv = await lines(0, 'status', '-a', '--output', 'csv', '--sort', 'workflow');
    assert.equal(csv[0], 'id,workflow,version,definition,status,created,started,ended,took_ms,reason');
    assert.deepEqual(
      csv.slice(1).map((line) => line.split(',')[1]),
      ['deploy', 'failing'],
    );
    const json = (await bench.json('status', '-a', '--filter', 'status!=completed')) as InstanceSummary[];
    assert.deepEqual(
      json.map(({ workflow }) => workflow),
      ['failing'],
    );
    assert.match(
      (await lines(0, 'status', '-a', '--exact'))[1] ?? '',
      / \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d /,
    );
    assert.deepEqual((await lines(0, 'list', '--filter', 'status=invalid', '--output', 'csv')).length, 2);
    assert.match(await hint(2, 'list', '--sort', 'nmae'), /there is no column "nmae"; did you mean "name"\?/);
    assert.match(
      await hint(2, 'list', '--output', 'xml'),
      /Expected --output=xml to be one of: table, csv, json/,
    );
  });

  test('typos of workflows, ids and steps are told', async () => {
    assert.match(await hint(4, 'run', 'depoly'), /did you mean "deploy"\?/);
    assert.match(await hint(4, 'status', 'latets'), /Did you mean latest\?/);
    assert.match(
      await hint(4, 'status', 'deploy'),
      new RegExp(`deploy is a workflow. Its newest instance is ${run.id}`),
    );
    const typo = `${run.id.slice(0, 4)}!${run.id.slice(5)}`;
    assert.match(await hint(4, 'logs', typo), new RegExp(`Did you mean ${run.id}\\?`));
    const failed = ((await bench.json('status', '-a', '--workflow', 'failing')) as InstanceSummary[])[0];
    assert.match(await hint(4, 'resume', failed?.id ?? '', '--from', 'tyr'), /did you mean "try"\?/);
    const file = join(bench.workspace, '.amazonq', 'workflows', 'deploy.json');
    await lines(0, 'register', file);
    assert.match(await hint(4, 'unregister', 'deplyo'), /did you mean "deploy"\?/);
    assert.match(await hint(4, 'schedule', 'pause', 'deplyo'), /did you mean "deploy"\?/);
  });

  test('explain, for a code, an exit status and a typo', async () => {
    assert.equal((await lines(0, 'explain', 'step_oom'))[0], 'STEP_OOM');
    assert.match(await hint(2, 'explain', 'STEP_OMM'), /Did you mean q workflow explain STEP_OOM\?/);
    assert.equal(((await bench.json('explain')) as unknown[]).length > 40, true);
  });

  test('graph draws a definition by name and an instance by a prefix of its id', async () => {
    assert.deepEqual(await lines(0, 'graph', 'deploy'), [
      'deploy 1.0.0',
      '└─ group  at once',
      '   ╞═ build  skill say',
      '   ╘═ check  skill say',
    ]);
    const [title, group, build] = await lines(0, 'graph', run.id.slice(0, 8));
    assert.equal(title, `deploy 1.0.0  ${run.id}  completed`);
    assert.match(group ?? '', /^└─ ✓ group {2}at once {2}completed, /);
    assert.match(build ?? '', /^ {3}╞═ ✓ build {2}skill say {2}completed, /);
    assert.equal((await lines(0, 'graph', 'deploy', '--format', 'mermaid'))[1], 'flowchart TD');
    assert.match((await lines(0, 'graph', 'latest', '--format', 'svg'))[0] ?? '', /^<svg xmlns="http:/);
    assert.match(await hint(4, 'graph', 'depoly'), /no workflow is called "depoly"; did you mean "deploy"\?/);
  });

  test('graph of an instance shows what it was started with, also when the file is gone', async () => {
    bench.workflow('deploy', {
      steps: [{ id: 'other', type: 'skill', skill: 'say', inputs: { text: 'x' } }],
    });
    assert.match((await lines(0, 'graph', run.id)).join(), /build/);
    assert.match((await lines(0, 'graph', 'deploy')).join(), /other/);
  });

  test('skills: the list, one with how its file was read, and the check of all', async () => {
    assert.deepEqual(
      (await lines(0, 'skills', 'list', '--output', 'csv')).map((line) => line.split(',').slice(0, 4)),
      [
        ['name', 'type', 'source', 'status'],
        ['fail', 'code_inline', 'workspace', 'usable'],
        ['say', 'prompt_inline', 'workspace', 'usable'],
      ],
    );
    const shown = (await lines(0, 'skills', 'show', 'fail')).join('\n');
    assert.match(shown, /command +false -x/);
    assert.match(shown, /rewritten \$\.command: /);
    assert.match(await hint(4, 'skills', 'show', 'sya'), /no skill is called "sya"; did you mean "say"\?/);
    bench.skill('odd', { type: 'code_inline' });
    const checked = await lines(3, 'skills', 'validate');
    assert.ok(
      checked.some((line) => /^✗ odd/.test(line)),
      checked.join('\n'),
    );
    assert.ok(checked.some((line) => /^✓ say/.test(line)));
    assert.equal((await bench.q('skills', 'validate', '.q-skills/odd.json')).status, 3);
  });

  test('agents: the list, one with what is ignored, and no key in any of it', async () => {
    const folder = join(bench.workspace, '.amazonq', 'cli-agents');
    mkdirSync(folder);
    const agent = {
      name: 'reviewer',
      description: 'Reads changes.',
      tools: ['fs_read'],
      permissions: {},
      mcpServers: { docs: { command: 'docs-server', env: { TOKEN: 'geheim' } } },
    };
    writeFileSync(join(folder, 'reviewer.json'), JSON.stringify(agent));
    assert.match(
      (await lines(0, 'agents', 'list'))[1] ?? '',
      /^reviewer +native +workspace +\d+ +Reads changes\.$/,
    );
    const shown = (await lines(0, 'agents', 'show', 'reviewer')).join('\n');
    assert.match(shown, /MCP servers +docs/);
    assert.match(shown, /warning \$\.permissions: is not read/);
    const { stdout } = await bench.q('agents', 'show', 'reviewer', '--json');
    assert.ok(!stdout.includes('geheim') && !shown.includes('geheim'));
    assert.match(await hint(4, 'agents', 'show', 'reviwer'), /did you mean "reviewer"\?/);
    assert.deepEqual((await lines(0, 'agents', 'validate', 'reviewer'))[0]?.slice(0, 10), '✓ reviewer');
  });

  test('lists and pictures fit a terminal of 80 columns, and use one of 200', {
    skip: lacksTmux(),
  }, async () => {
    bench.workflow('a-workflow-with-a-name-that-takes-more-room-than-there-is-in-a-narrow-terminal', {
      description: `Says ${'much '.repeat(30)}of itself.`,
      steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'x' } }],
    });
    const terminal = openTerminal(bench);
    try {
      for (const [columns, least] of [
        [80, 70],
        [200, 190],
      ] as const) {
        await terminal.resize(columns, 40);
        // The line as it is typed must not look like its answer.
        terminal.run(`clear; q workflow explain; q workflow list; echo do''ne${columns}`);
        await terminal.shows(new RegExp(`done${columns}$`, 'm'));
        const row =
          terminal
            .screen()
            .split('\n')
            .findLast((line) => line.startsWith('a-workflow')) ?? '';
        assert.ok(row.length <= columns && row.length >= least, `${columns}: ${row.length} ${row}`);
        assert.match(row, /workspace/);
      }
      assert.ok(terminal.colours().includes('\u001b['));
    } finally {
      terminal.close();
    }
  });
});
