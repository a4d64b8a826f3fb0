import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { InstanceSummary } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { lacksTmux, openTerminal, type Terminal } from '../setup/terminal.ts';

describe('a run on a terminal', { timeout: 120_000, skip: lacksTmux() }, () => {
  let bench: Bench;
  let terminal: Terminal;
  beforeEach(() => {
    bench = openBench();
    bench.script('gate.sh', 'until [ -e "go-$1" ]; do sleep 0.05; done');
    for (const id of ['first', 'second'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['gate.sh', id] });
    const step = (id: string): object => ({ id, type: 'skill', skill: id });
    const wide = {
      id: 'a-step-with-a-name-that-is-so-long-that-it-does-not-fit-into-a-narrow-terminal',
      type: 'skill',
      skill: 'second',
    };
    bench.workflow('slow', { steps: [step('first'), step('second')] });
    bench.workflow('wide', {
      steps: [{ id: 'both', type: 'parallel', wait_for: 'all', steps: [step('first'), wide] }],
    });
    terminal = openTerminal(bench);
  });
  afterEach(async () => {
    terminal.close();
    await bench.close();
  });

  const open = (gate: string): unknown => bench.script(`go-${gate}`, '');
  const statusOf = async (): Promise<string> =>
    ((await bench.json('status', '--all')) as InstanceSummary[])[0]?.status ?? 'none';
  const ends = (status: string): Promise<unknown> =>
    eventually(status, async () => (await statusOf()) === status);

  test('shows what is done, runs now and is to come in place, and leaves it there', async () => {
    terminal.run('q workflow run slow');
    await terminal.shows(/▸ first +\d.*\n· second/);
    await terminal.shows(/▸ first +1\.\d s/);
    open('first');
    const screen = await terminal.shows(/✓ first +\d.*\n▸ second/);
    assert.equal(screen.match(/first/g)?.length, 1, screen);
    assert.match(screen, /▸ slow 1\.0\.0 {2}\w+ .*1 of 2 steps/);
    open('second');
    const last = await terminal.shows(/✓ slow completed in .*\n(.*\n)*exit 0/);
    assert.equal(last.match(/▸/g), null, last);
    assert.match(last, /✓ first.*\n✓ second/);
  });

  test('Ctrl-C asks, and s stops the run with exit 7', async () => {
    terminal.run('q workflow run slow');
    await terminal.shows(/▸ first/);
    terminal.press('C-c');
    await terminal.shows(/Stop it, or leave it running in the background\? \[s\/L\]/);
    assert.equal(await statusOf(), 'running');
    terminal.press('s', 'Enter');
    await terminal.shows(/■ slow stopped(.*\n)*exit 7/);
    assert.equal(await statusOf(), 'stopped');
  });

  test('a second Ctrl-C stops the run too', async () => {
    terminal.run('q workflow run slow');
    await terminal.shows(/▸ first/);
    terminal.press('C-c');
    await terminal.shows(/\[s\/L\]/);
    terminal.press('C-c');
    await terminal.shows(/■ slow stopped(.*\n)*exit 7/);
  });

  for (const [name, key] of [
    ['Enter', 'Enter'],
    ['Ctrl-D', 'C-d'],
  ] as const)
    test(`${name} at the question leaves it running, and it completes`, async () => {
      terminal.run('q workflow run slow');
      await terminal.shows(/▸ first/);
      terminal.press('C-c');
      await terminal.shows(/\[s\/L\]/);
      terminal.press(key);
      await terminal.shows(/goes on in the background: q workflow status \w+ --watch\nexit 0/);
      open('first');
      open('second');
      await ends('completed');
    });

  test('a run that ends while the question is open takes the question back', async () => {
    terminal.run('q workflow run slow');
    await terminal.shows(/▸ first/);
    terminal.press('C-c');
    await terminal.shows(/\[s\/L\]/);
    open('first');
    open('second');
    await terminal.shows(/✓ slow completed(.*\n)*exit 0/);
  });

  test('a terminal that becomes narrow or wide is not garbled', async () => {
    terminal.run('q workflow run wide');
    await terminal.shows(/▸ first(.*\n)+ +▸ a-step/);
    for (const [turn, columns] of [30, 120, 20, 60, 100].entries()) {
      await terminal.resize(columns, 30);
      // tmux tells its programs of a size at most every 250 ms: until then they cannot know better, and of a size that is
      // gone by then they never hear.
      await eventually('a later picture of this width', () => {
        const screen = terminal.visible();
        const lines = screen.split('\n').filter((line) => line.includes('▸'));
        return (
          elapsedMs(screen) >= 400 * (turn + 1) && lines.every((line) => line.trimEnd().length < columns)
        );
      });
    }
    open('first');
    await terminal.shows(/✓ first/);
    open('second');
    await terminal.shows(/✓ wide completed(.*\n)*exit 0/);
    // A narrower tmux pushes rows off its top, where they are out of reach; everything below must be clean.
    const screen = terminal.visible();
    assert.equal(screen.match(/▸/g), null, screen);
    assert.equal(screen.match(/✓ first/g)?.length, 1, screen);
    assert.equal(screen.match(/✓ both/g)?.length, 1, screen);
    // Of the four rows of a picture, once for each of the two times that it became narrower by much.
    const stale = terminal.screen().match(/▸/g) ?? [];
    assert.ok(stale.length <= 8, terminal.screen());
  });

  test('Ctrl-Z gives the terminal back, and fg draws the view anew', async () => {
    terminal.run('set -m');
    terminal.run('q workflow run slow');
    await terminal.shows(/▸ first +\d/);
    terminal.press('C-z');
    const stopped = await terminal.shows(/exit 148/);
    assert.equal(stopped.match(/▸/g), null, stopped);
    assert.equal(await statusOf(), 'running');
    terminal.run('fg');
    await terminal.shows(/▸ slow(.*\n)+▸ first +\d/);
    open('first');
    open('second');
    const screen = await terminal.shows(/✓ slow completed/);
    assert.equal(screen.match(/▸/g), null, screen);
    assert.match(screen, /✓ first.*\n✓ second/);
  });

  test('the last line of output and a reported progress stand beside their step', async () => {
    bench.script('talk.sh', 'echo "[ 40%] Building orders"; until [ -e go-first ]; do sleep 0.05; done');
    bench.skill('talk', { type: 'code_inline', command: 'sh', args: ['talk.sh'] });
    bench.workflow('talks', { steps: [{ id: 'build', type: 'skill', skill: 'talk' }] });
    terminal.run('q workflow run talks');
    await terminal.shows(/▸ build +\d.* {2}████░░░░░░ {2}40 % {2}Building orders/);
    open('first');
    const screen = await terminal.shows(/✓ talks completed(.*\n)*exit 0/);
    assert.doesNotMatch(screen, /░/);
  });

  test('NO_COLOR takes the colours and leaves the live line', async () => {
    for (const [line, hasColours] of [
      ['q workflow run slow', true],
      ['NO_COLOR=1 q workflow run slow', false],
    ] as const) {
      for (const gate of ['first', 'second']) rmSync(join(bench.workspace, `go-${gate}`), { force: true });
      terminal.run(`clear; ${line}`);
      await terminal.shows(/▸ first +\d/);
      assert.equal(terminal.colours().includes('\u001b['), hasColours, terminal.colours());
      open('first');
      open('second');
      await terminal.shows(/✓ slow completed(.*\n)*exit 0/);
    }
  });
});

/** What the live line of the first step says of its time. */
function elapsedMs(screen: string): number {
  const [, number = '0', unit] = /▸ first +(\d+(?:\.\d)?) (ms|s)/.exec(screen) ?? [];
  return Number(number) * (unit === 's' ? 1000 : 1);
}
