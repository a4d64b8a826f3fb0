import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { displayWidth } from '../../../src/cli/text/display-width.ts';
import { type Bench, eventually, openBench } from '../../setup/bench-home.ts';
import { assertGolden } from '../../setup/golden.ts';
import { lacksTmux, openTerminal, type Terminal } from '../../setup/terminal.ts';

/** What other libraries draw: it has to be looked at where it is drawn. */
describe('screens on a real terminal', { timeout: 180_000, skip: lacksTmux() }, () => {
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

  const ROWS = 70;
  /** The screen at a width, whole, without what stands above the command. */
  const shot = async (columns: number, ends: RegExp): Promise<string> => {
    const text = await eventually(`a screen that ends with ${ends}`, () => {
      const screen = terminal.visible().replace(/\s+$/, '');
      return ends.test(screen) && screen;
    });
    const lines = text.split('\n').map((line) => line.trimEnd());
    for (const line of lines) assert.ok(displayWidth(line) <= columns, `wider than ${columns}: ${line}`);
    return lines.join('\n');
  };
  const both = async (name: string, draw: (columns: number) => Promise<string>): Promise<void> => {
    const parts: string[] = [];
    for (const columns of [80, 200]) {
      await terminal.resize(columns, ROWS);
      parts.push(`=== ${columns} columns\n${await draw(columns)}\n`);
    }
    assertGolden(join(import.meta.dirname, `${name}.txt`), parts.join('\n'));
  };
  const command = (line: string): ((columns: number) => Promise<string>) => {
    return async (columns) => {
      // What stands there from before ends as the next screen will.
      terminal.run('clear');
      await eventually('an empty screen', () => !/\S/.test(terminal.visible()));
      // A new size comes to the terminal a moment after tmux was told of it.
      const isResized = `stty size | grep -q ' ${columns}$'`;
      terminal.run(`until ${isResized}; do sleep 0.02; done; clear; NO_COLOR=1 q ${line}`);
      return shot(columns, /\nexit \d+$/);
    };
  };

  for (const [name, line] of [
    ['help', 'workflow --help'],
    ['help-run', 'workflow run --help'],
    ['help-list', 'workflow audit list --help'],
    ['unknown-flag', 'workflow run --inptu a=1'],
    ['missing-argument', 'workflow run'],
    ['workflow-not-found', 'workflow show depoly'],
  ] as const)
    test(name, () => both(name, command(line)));

  test('in a pipe a run is plain lines on stderr and its summary on stdout', async () => {
    bench.workflow('greet', {
      steps: [{ id: 'hello', type: 'skill', skill: 'say-hello', inputs: { who: 'you' } }],
    });
    const { stdout, stderr } = await bench.q('run', 'greet');
    const [, id = ''] = /^greet 1\.0\.0 {2}(\w+)$/m.exec(stderr) ?? [];
    assert.notEqual(id, '', stderr);
    const masked = `=== stderr\n${stderr}\n=== stdout\n${stdout}`
      .replaceAll(id, '<id>')
      .replaceAll(/\d+(?:\.\d+)? (?:ms|s)\b/g, '<time>')
      .replaceAll(/peak memory \d+ MB/g, 'peak memory <n> MB')
      .replaceAll(/limits .*/g, 'limits <as they are here>');
    assertGolden(join(import.meta.dirname, 'run-in-a-pipe.txt'), masked);
  });

  test('the questions of the wizard, and its review', async () => {
    const shots = new Map<string, string[]>();
    for (const columns of [80, 200]) {
      await terminal.resize(columns, ROWS);
      terminal.run('clear; NO_COLOR=1 q workflow create "Say hello to people" --discard-draft');
      const asks = async (name: string, question: RegExp, ...keys: readonly string[]): Promise<void> => {
        const text = await shot(columns, question);
        shots.set(name, [...(shots.get(name) ?? []), `=== ${columns} columns\n${text}\n`]);
        terminal.press(...keys);
      };
      await asks('name', /\? Name \(say-hello-to-people\)$/, 'Enter');
      await asks('values', /\? Does it need values\?\n[\s\S]*\^C later$/, 'Enter');
      await asks('step', /\? Step 1: what does it do\?\n[\s\S]*\^C later$/, 'Enter');
      await asks('step-name', /\? Name of the step \(say-hello\)$/, 'Enter');
      await asks('input', /\? who: where does it come from\?\n[\s\S]*\^C later$/, 'Enter');
      await asks('input-value', /\? who \(string\):$/, 'world', 'Enter');
      await asks('outputs', /\? Fields that its result must have[^\n]*(\n[^\n]*)?\)$/, 'Enter');
      await asks('timeout', /\? Longest time[^\n]*$/, 'Enter');
      await asks('on-error', /\? If it fails:\n[\s\S]*\^C later$/, 'Enter');
      await asks('next-step', /\? Step 2: what does it do\?\n[\s\S]*\^C later$/, 'Enter');
      await asks('limits', /\? Limits of a run\n[\s\S]*\^C later$/, 'Enter');
      await asks('schedule', /\? When does it run\?\n[\s\S]*\^C later$/, 'Enter');
      await asks('review', /\? Is it right so\?\n[\s\S]*\^C later$/, 'C-c');
      await terminal.shows(/exit 7/);
    }
    for (const name of ['step', 'input', 'on-error', 'schedule', 'review'])
      assertGolden(join(import.meta.dirname, `wizard-${name}.txt`), (shots.get(name) ?? []).join('\n'));
  });
});
