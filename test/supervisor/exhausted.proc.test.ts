import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, runToEnd, startRun, textOf } from '../setup/leftovers.ts';

const CALLS: Readonly<Record<string, number>> = { x64: 294, arm64: 26 };
const call = CALLS[process.arch];
const skip = process.platform !== 'linux' || call === undefined ? 'inotify is of Linux' : false;

/** Takes what the kernel gives to all processes of a user together, until it gives no more, and keeps it. */
const FLOOD = `$SIG{CHLD} = 'IGNORE';
for (1..8) {
  next if fork;
  1 while syscall(${call}, 0) >= 0;
  open my $file, '>>', 'taken'; print $file "$$\\n"; close $file;
  sleep 600; exit;
}
sleep 600;
`;

describe('a step that takes all inotify instances of its user', { timeout: 120_000, skip }, () => {
  let bench: Bench;
  let flood: string;
  before(async () => {
    bench = openBench();
    bench.script('flood.pl', FLOOD);
    bench.skill('flood', { type: 'code_inline', command: 'perl', args: ['flood.pl'] });
    bench.skill('hello', { type: 'code_inline', command: 'echo', args: ['hello'] });
    bench.workflow('flood', { steps: [{ id: 'it', type: 'skill', skill: 'flood' }] });
    bench.workflow('hello', { steps: [{ id: 'it', type: 'skill', skill: 'hello' }] });
    flood = await startRun(bench, 'flood');
    await eventually(
      'the last one',
      () => textOf(join(bench.workspace, 'taken')).split('\n').length > 8 && isUsedUp(),
    );
  });
  after(() => bench.close());

  test('keeps no other run from its work', async () => {
    const { code, run } = await runToEnd(bench, 'hello');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.ok(isUsedUp());
  });

  test('keeps no supervisor from adopting it, starting others and ending it', async () => {
    const before = await bench.supervisorPid();
    process.kill(before, 'SIGKILL');
    const { code, run } = await runToEnd(bench, 'hello');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.notEqual(await bench.supervisorPid(), before);
    const adopted = await bench.status(flood);
    assert.deepEqual([adopted.status, adopted.incarnations], ['running', 1]);
    assert.ok(isUsedUp());
    await bench.q('stop', flood);
    assert.equal((await endOf(bench, flood)).status, 'stopped');
    assert.ok(!isUsedUp());
  });
});

/** Of this process's user, who is that of the step where the workspace is its own. */
function isUsedUp(): boolean {
  try {
    watch(import.meta.dirname).close();
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EMFILE') return true;
    throw error;
  }
}
