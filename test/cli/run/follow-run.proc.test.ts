import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { StatusDocument } from '../../../src/protocol/control.ts';
import { type Bench, eventually, type Finished, finish, openBench } from '../../setup/bench-home.ts';

describe('a run that is followed while supervisors change', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('gate.sh', 'until [ -e "$1" ]; do sleep 0.05; done; echo passed "$1"');
    bench.skill('gate', { type: 'code_inline', command: 'sh', args: ['gate.sh', '{name}'] });
    const gate = (id: string): object => ({
      id,
      type: 'skill',
      skill: 'gate',
      inputs: { name: `\${{ inputs.round + "${id}" }}` },
    });
    bench.workflow('gates', {
      inputs: { round: { type: 'string', required: true } },
      steps: [gate('first'), gate('second')],
    });
  });
  after(() => bench.close());
  let round = 0;
  beforeEach(() => {
    round += 1;
  });

  const open = (name: string): void => writeFileSync(join(bench.workspace, `r${round}${name}`), '');
  const follow = (
    ...flags: readonly string[]
  ): { child: ChildProcess; finished: Promise<Finished>; told: () => string } => {
    const child = bench.start(['run', 'gates', '--input', `round=r${round}`, ...flags]);
    let told = '';
    child.stderr?.on('data', (text) => {
      told += String(text);
    });
    return { child, finished: finish(child), told: () => told };
  };
  const running = async (): Promise<StatusDocument> => {
    let found: StatusDocument | null = null;
    await eventually('the run', async () => {
      const run = await bench.status('latest');
      if (run.status === 'running' && run.steps.some(({ status }) => status === 'running')) found = run;
      return found !== null;
    });
    assert.ok(found);
    return found;
  };
  const killSupervisor = async (): Promise<void> => {
    process.kill(await bench.supervisorPid(), 'SIGKILL');
  };

  test('is followed to its end as one document, with its own exit status', async () => {
    const { finished, told } = follow('--json');
    const { id } = await running();
    await killSupervisor();
    await eventually('the word about it', () => told() !== '');
    open('first');
    open('second');
    await bench.q('supervisor', 'start');
    const { status, stdout, stderr } = await finished;
    const document = JSON.parse(stdout) as StatusDocument;
    assert.deepEqual([status, document.id, document.status], [0, id, 'completed']);
    assert.equal(stderr, 'the supervisor went away; looking for the next one\n');
  });

  test('shows each step once, over several supervisors, also what ended meanwhile', async () => {
    const { finished, told } = follow();
    await running();
    await killSupervisor();
    await eventually('the word about it', () => told().includes('went away'));
    open('first');
    await bench.q('supervisor', 'start');
    // It hears the new one, which is killed in its turn.
    await eventually('the second step', () => told().includes('▸ second'));
    await killSupervisor();
    await eventually('the word about it', () => told().match(/went away/g)?.length === 2);
    open('second');
    await bench.q('supervisor', 'start');
    const { status, stderr } = await finished;
    assert.equal(status, 0);
    for (const line of [/^✓ first/gm, /^✓ second/gm]) assert.equal(stderr.match(line)?.length, 1, stderr);
  });

  test('a stop that the lost supervisor may not have heard is asked for again', async () => {
    const { child, finished, told } = follow();
    await running();
    const pid = await bench.supervisorPid();
    // It hears nothing any more, and answers nothing.
    process.kill(pid, 'SIGSTOP');
    child.kill('SIGTERM');
    await eventually('the stop', () => told().includes('stopping'));
    process.kill(pid, 'SIGKILL');
    await eventually('the word about it', () => told().includes('went away'));
    await bench.q('supervisor', 'start');
    const { status, stdout } = await finished;
    assert.equal(status, 7, told());
    assert.match(stdout, /stopped/);
    assert.doesNotMatch(told(), /closed the connection/);
  });

  test('a stop goes on with the next supervisor', async () => {
    bench.script('stubborn.sh', "trap '' TERM; while :; do sleep 0.2; done");
    bench.skill('stubborn', { type: 'code_inline', command: 'sh', args: ['stubborn.sh'] });
    bench.workflow('stubborn', { steps: [{ id: 'a', type: 'skill', skill: 'stubborn' }] });
    const { id } = (await bench.json('run', 'stubborn', '--detach')) as StatusDocument;
    await running();
    const child = bench.start(['stop', id, '--json']);
    const stopped = finish(child);
    let told = '';
    child.stderr?.on('data', (text) => {
      told += String(text);
    });
    await eventually('the stop is asked for', async () => (await bench.status(id)).status === 'stopping');
    await killSupervisor();
    await eventually('the word about it', () => told !== '');
    await bench.q('supervisor', 'start');
    const { status, stdout } = await stopped;
    assert.deepEqual([status, (JSON.parse(stdout) as StatusDocument).status], [0, 'stopped'], told);
  });

  test('an interrupt ends the wait for the next one, and the run goes on', async () => {
    const { child, finished, told } = follow();
    const { id } = await running();
    await killSupervisor();
    await eventually('the word about it', () => told().includes('went away'));
    child.kill('SIGINT');
    const { status, stderr } = await finished;
    assert.equal(status, 5);
    assert.match(stderr, /went away while \w{10} was running, and none has come since; the run goes on/);
    open('first');
    open('second');
    await bench.q('supervisor', 'start');
    await eventually('its end', async () => (await bench.status(id)).status === 'completed');
  });
});
