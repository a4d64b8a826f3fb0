import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { openAgentBench } from '../setup/agents.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { lacksTmux, openTerminal, type Terminal } from '../setup/terminal.ts';

const ANSWERS = {
  purpose: 'Say hello',
  name: 'hello',
  schedule: 'every day',
  steps: [{ command: 'echo hello {who}', inputs: { who: 'world' } }],
};
const HELLO = {
  name: 'hello',
  version: '1.0.0',
  description: 'Say hello',
  triggers: [{ type: 'schedule', cron: '0 9 * * *' }],
  steps: [{ id: 'echo-hello-who', type: 'skill', skill: 'echo-hello-who', inputs: { who: 'world' } }],
};

describe('create without a terminal', { timeout: 120_000 }, () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.close());

  const place = (name: string, value: unknown): string => {
    writeFileSync(join(bench.workspace, name), typeof value === 'string' ? value : JSON.stringify(value));
    return name;
  };
  const target = (): string => join(bench.workspace, '.amazonq', 'workflows', 'hello.json');
  const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

  test('writes the workflow and its skill from answers, registers and runs it', async () => {
    const { status, stdout, stderr } = await bench.q(
      'create',
      '--from',
      place('a.json', ANSWERS),
      '--register',
      '--run',
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /✓ .*\/hello\.json\n✓ .*\.q-skills\/echo-hello-who\.json\n✓ registered hello\n/);
    assert.deepEqual(json(target()), HELLO);
    assert.equal(statSync(target()).mode & 0o077, 0o077 & ~0o133 & ~process.umask());
    assert.deepEqual(json(join(bench.workspace, '.q-skills', 'echo-hello-who.json')), {
      name: 'echo-hello-who',
      type: 'code_inline',
      description: 'Runs: echo hello {who}',
      command: 'echo',
      args: ['hello', '{who}'],
    });
    const [run] = (await bench.json('status', '--all')) as { id: string }[];
    const [step] = (await bench.status(run?.id ?? '')).steps;
    assert.deepEqual(Object(step?.outputs)['stdout'], 'hello world');
    const schedules = (await bench.json('schedule', 'list')) as { workflow: string }[];
    assert.deepEqual(
      schedules.map(({ workflow }) => workflow),
      ['hello'],
    );
  });

  test('a file that is there stays as it is without --force', async () => {
    await bench.q('create', '--from', place('a.json', ANSWERS));
    writeFileSync(target(), '{}');
    const refused = await bench.q('create', '--from', 'a.json');
    assert.equal(refused.status, 2);
    assert.match(
      refused.stderr,
      /hello\.json is there already \[FILE_EXISTS\]\nhint {2}Add --force to replace it/,
    );
    assert.equal(readFileSync(target(), 'utf8'), '{}');
    assert.equal((await bench.q('create', '--from', 'a.json', '--force')).status, 0);
    assert.deepEqual(json(target()), HELLO);
    assert.deepEqual(readdirSync(join(target(), '..')), ['hello.json']);
  });

  test('--print shows the file and writes nothing; --json has all of it', async () => {
    const printed = await bench.q('create', '--from', place('a.json', ANSWERS), '--print');
    assert.deepEqual(JSON.parse(printed.stdout), HELLO);
    assert.equal(existsSync(target()), false);
    const created = (await bench.json('create', '--from', 'a.json')) as JsonObject;
    assert.deepEqual(created, {
      name: 'hello',
      version: '1.0.0',
      file: target(),
      skills: [join(bench.workspace, '.q-skills', 'echo-hello-who.json')],
      definition: HELLO,
      problems: [],
      is_registered: false,
    });
  });

  test('answers that make no valid workflow are refused with the places, and nothing is written', async () => {
    const wrong = {
      ...ANSWERS,
      steps: [...ANSWERS.steps, { skill: 'x', inputs: { a: { output: 'later.stdout' } } }],
    };
    const { status, stderr } = await bench.q('create', '--from', place('a.json', wrong));
    assert.equal(status, 3);
    assert.match(
      stderr,
      /the answers make no valid workflow \[DEFINITION_INVALID\]\n {2}\$\.steps\[1\]\.inputs\.a: /,
    );
    assert.equal(existsSync(target()), false);
    assert.equal(existsSync(join(bench.workspace, '.q-skills', 'echo-hello-who.json')), false);
    const broken = await bench.q('create', '--from', place('b.json', { stps: [] }));
    assert.equal(broken.status, 3);
    assert.match(broken.stderr, /\$\.stps: unknown key "stps"; did you mean "steps"\?/);
    assert.match(
      (await bench.q('create', '--from', 'no.json')).stderr,
      /cannot read no\.json: .* \[ANSWERS_INVALID\]/,
    );
  });

  test('without answers it says how to give them', async () => {
    for (const command of [['create'], ['create', 'Say hello', '--yes']]) {
      const { status, stderr } = await bench.q(...command);
      assert.equal(status, 2);
      assert.match(
        stderr,
        /create asks questions, and there is no terminal to ask on \[USAGE\]\nhint {2}Give it the answers: --from/,
      );
    }
    assert.match((await bench.q('edit', 'hello')).stderr, /edit asks questions, and there is no terminal/);
  });
});

test('--draft asks the model once, and its draft goes through the checks', { timeout: 60_000 }, async (t) => {
  const steps = [{ id: 'a', type: 'agent', agent: 'helper', inputs: { task: 'Say hello' } }];
  const turns = [{ text: JSON.stringify({ name: 'x', version: '1.0.0', steps }) }, { text: 'Sorry.' }];
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  const draft = (): ReturnType<Bench['q']> =>
    desk.bench.qWith(desk.env, 'create', 'Say hello', '--draft', '--print');
  assert.deepEqual(JSON.parse((await draft()).stdout), { name: 'say-hello', version: '1.0.0', steps });
  assert.equal(desk.provider.requests.length, 1);
  assert.match(JSON.stringify(desk.provider.requests[0]), /Purpose: Say hello.*helper/);

  const none = await draft();
  assert.deepEqual([none.status, none.stdout], [1, '']);
  assert.match(none.stderr, /there is no draft: the model answered no JSON object \[NO_DRAFT\]/);

  await desk.bench.q('kill', 'global', '--reason', 'test');
  assert.match((await draft()).stderr, /there is no draft: the kill switch global is tripped/);
  assert.equal(desk.provider.requests.length, 2);
});

describe('create and edit on a terminal', { timeout: 180_000, skip: lacksTmux() }, () => {
  let bench: Bench;
  let terminal: Terminal;
  beforeEach(() => {
    bench = openBench();
    bench.skill('say-hello', {
      type: 'code_inline',
      description: 'Says hello',
      command: 'echo',
      args: ['hello', '{who}'],
      parameters: [{ name: 'who', type: 'string', required: true, description: 'to whom' }],
    });
    terminal = openTerminal(bench);
  });
  afterEach(async () => {
    terminal.close();
    await bench.close();
  });

  const target = (): string => join(bench.workspace, '.amazonq', 'workflows', 'greet.json');
  /** Waits for the question, then types. */
  const says = async (question: RegExp, ...keys: readonly string[]): Promise<void> => {
    await terminal.shows(question);
    terminal.press(...keys);
  };

  test('--from shows the review before it saves, and --yes does not', async () => {
    const answers = {
      name: 'greet',
      purpose: 'Greet',
      steps: [{ id: 'hi', skill: 'say-hello', inputs: { who: 'you' } }],
    };
    writeFileSync(join(bench.workspace, 'a.json'), JSON.stringify(answers));
    terminal.run('q workflow create --from a.json');
    await terminal.shows(
      /greet 1\.0\.0 {2}Greet\n└─ hi {2}skill say-hello\n(.*\n)*\? Is it right so\?\n❯ save it/,
    );
    assert.equal(existsSync(target()), false);
    await says(/❯ save it/, ...Array.from({ length: 9 }, () => 'Down'), 'Enter');
    await terminal.shows(/✓ Is it right so\? throw it away\n(.*\n)*exit 7/);
    assert.equal(existsSync(target()), false);
    terminal.run('clear; q workflow create --from a.json');
    await says(/❯ save it/, 'Enter');
    await terminal.shows(/greet\.json\nRun it with: q workflow run greet\nexit 0/);
    assert.equal((JSON.parse(readFileSync(target(), 'utf8')) as JsonObject)['name'], 'greet');
    rmSync(target());
    terminal.run('clear; q workflow create --from a.json --yes');
    const screen = await terminal.shows(/greet\.json\nRun it with: q workflow run greet\nexit 0/);
    assert.doesNotMatch(screen.slice(screen.lastIndexOf('--yes')), /Is it right so/);
  });

  test('Back, Ctrl-C and going on lead to a workflow that is saved and run', async () => {
    terminal.run('q workflow create');
    await says(/\? What should the workflow do\?/, 'Say hello to people', 'Enter');
    await says(/\? Name \(say-hello-to-people\)/, 'greet', 'Enter');
    await says(/\? Does it need values\?/, 'Escape');
    await says(/← back\n\? Name/, 'greet', 'Enter');
    await says(/\? Does it need values\?/, 'Enter');
    await terminal.shows(/❯ skill say-hello\n(.*\n)*Says hello · takes who: string/);
    terminal.press('C-c');
    await terminal.shows(/Your answers are kept: q workflow create goes on where you were\.\nexit 7/);
    const drafts = join(bench.home, 'drafts');
    assert.deepEqual(
      readdirSync(drafts).map((name) => statSync(join(drafts, name)).mode & 0o777),
      [0o600],
    );

    terminal.run('clear; q workflow create');
    await says(/\? There is a draft from .*: 3 answers about "greet"/, 'Enter');
    await says(/\? Step 1: what does it do\?\n❯ skill say-hello/, 'Enter');
    await says(/\? Name of the step \(say-hello\)/, 'Enter');
    await says(/who: string, required; to whom\n\? who: where does it come from\?/, 'Enter');
    await says(/\? who \(string\):/, 'world', 'Enter');
    await says(/\? Fields that its result must have/, 'Enter');
    await says(/\? Longest time/, 'soon', 'Enter');
    await says(/That is no figure here; write it such as 90, 5 min or 2 h/, 'C-u');
    terminal.press('1 min', 'Enter');
    await says(/\? If it fails:/, 'Enter');
    await says(/\? Step 2: what does it do\?\n❯ nothing more/, 'Enter');
    await says(/\? Limits of a run/, 'Enter');
    await says(/\? When does it run\?/, 'Enter');
    await says(
      /greet 1\.0\.0 {2}Say hello to people\n└─ say-hello {2}skill say-hello\n(.*\n)*\? Is it right so\?\n❯ save it/,
      'Enter',
    );
    await says(/\? Where does it go\?/, 'Enter');
    await says(/\? Register it/, 'Enter');
    await says(/\? Run it now\?/, 'Up', 'Enter');
    await terminal.shows(/✓ .*greet\.json\n(.*\n)*✓ greet completed(.*\n)*exit 0/);
    assert.deepEqual(JSON.parse(readFileSync(target(), 'utf8')), {
      name: 'greet',
      version: '1.0.0',
      description: 'Say hello to people',
      steps: [{ id: 'say-hello', type: 'skill', skill: 'say-hello', inputs: { who: 'world' }, timeout: 60 }],
    });
    assert.deepEqual(readdirSync(drafts), []);
  });

  test('edit changes a registered workflow in its file, and registers it again', async () => {
    const hello = { id: 'one', type: 'skill', skill: 'say-hello', inputs: { who: 'a' } };
    const file = bench.workflow('greet', {
      steps: [hello, { ...hello, id: 'two', inputs: { who: 'one.stdout' } }],
      sandbox: 'best_effort',
    });
    await bench.q('register', file);
    terminal.run('q workflow edit greet');
    await says(/❯ save it/, 'Down', 'Down', 'Enter');
    await says(/\? The step one\n/, 'Down', 'Down', 'Down', 'Down', 'Enter');
    await says(/✗ "one" cannot go: two uses it\./, 'Escape');
    await says(/← back\n(.*\n)*\? Is it right so\?/, 'Down', 'Down', 'Down', 'Enter');
    await says(/\? The step two\n/, 'Down', 'Down', 'Down', 'Down', 'Enter');
    await says(/greet 1\.0\.0\n└─ one {2}skill say-hello\n/, 'Enter');
    await terminal.shows(/✓ .*greet\.json\n✓ registered greet\n(.*\n)*exit 0/);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      name: 'greet',
      version: '1.0.0',
      steps: [hello],
      sandbox: 'best_effort',
    });
    rmSync(file);
    const shown = (await bench.json('show', 'greet')) as { source: string; definition: { steps: unknown[] } };
    assert.deepEqual([shown.source, shown.definition.steps.length], ['registered', 1]);
  });

  for (const columns of [80, 200])
    test(`questions fit a terminal of ${columns} columns`, async () => {
      bench.skill('long', { type: 'code_inline', command: 'true', description: 'a word and '.repeat(60) });
      await terminal.resize(columns, 40);
      terminal.run('q workflow create "Say a word"');
      await says(/\? Name \(say-word|\? Name \(say-a-word/, 'Enter');
      await says(/\? Does it need values\?/, 'Enter');
      const screen = await terminal.shows(/\? Step 1: what does it do\?\n(.*\n)*.*esc back · \^C later/);
      assert.ok(
        terminal
          .visible()
          .split('\n')
          .every((line) => line.length <= columns * 2),
        screen,
      );
      terminal.press('C-c');
      await terminal.shows(/exit 7/);
    });
});
