import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { identify } from '../../sandbox/process-identity.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { lacksMountNamespaces, mountSmallDisk, type SmallDisk } from '../setup/small-disk.ts';

const skip = lacksMountNamespaces();

describe('a disk that is full or read-only', { timeout: 120_000, skip }, () => {
  /** The home lies on a disk of 3 MB. */
  async function onSmallDisk(act: (bench: Bench, disk: SmallDisk) => Promise<void>): Promise<void> {
    const mount = mkdtempSync(join(tmpdir(), 'qw-disk-'));
    const disk = await mountSmallDisk(mount, 3);
    const bench = openBench({ prefix: (cwd) => disk.prefix(cwd), home: join(mount, 'home') });
    try {
      bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
      bench.script(
        'effect.sh',
        'echo "$1" >> effects.txt; until [ -e "$1" ]; do sleep 0.05; done; echo "said $1"; : > "said-$1"',
      );
      const effect = (id: string): object => ({ id, type: 'skill', skill: id });
      for (const id of ['one', 'two', 'three'])
        bench.skill(id, { type: 'code_inline', command: 'sh', args: ['effect.sh', `go-${id}`] });
      bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
      bench.workflow('three', { steps: [effect('one'), effect('two'), effect('three')] });
      await act(bench, disk);
    } finally {
      await bench.close();
      disk.close();
      rmSync(mount, { recursive: true, force: true });
    }
  }

  const errorOf = async (bench: Bench, ...args: string[]): Promise<string> =>
    ((await bench.json(...args)) as { error?: { code: string } }).error?.code ?? 'none';

  test('a run that is going on waits on a full disk and goes on, losing and repeating nothing', () =>
    onSmallDisk(async (bench, disk) => {
      const { id } = (await bench.json('run', 'three', '--detach')) as { id: string };
      await eventually('the first step', async () => (await bench.status(id)).steps[0]?.status === 'running');
      disk.fill();
      bench.script('go-one', '');
      bench.script('go-two', '');
      assert.equal(await errorOf(bench, 'run', 'tiny'), 'STORE_FULL');
      await eventually('output that finds no room', () => existsSync(join(bench.workspace, 'said-go-one')));
      const during = await bench.status(id);
      assert.deepEqual([during.status, during.error], ['running', null]);
      assert.equal(await errorOf(bench, 'supervisor', 'status'), 'none');
      disk.free();
      bench.script('go-three', '');
      const run = await eventually('the end', async () => {
        const now: StatusDocument = await bench.status(id);
        return now.ended_at !== null && now;
      });
      assert.deepEqual([run.status, run.error, run.incarnations], ['completed', null, 1]);
      assert.equal(readFileSync(join(bench.workspace, 'effects.txt'), 'utf8'), 'go-one\ngo-two\ngo-three\n');
      const { stdout } = await bench.q('logs', id);
      assert.equal(stdout, 'one │ said go-one\ntwo │ said go-two\nthree │ said go-three\n');
    }));

  test('a run can be stopped, and the supervisor left, on a full disk', () =>
    onSmallDisk(async (bench, disk) => {
      const { id } = (await bench.json('run', 'three', '--detach')) as { id: string };
      await eventually('the first step', async () => (await bench.status(id)).steps[0]?.status === 'running');
      const { pid } = await bench.status(id);
      disk.fill();
      const stopping = bench.q('stop', id, '--force');
      await eventually('the end of the process', () => !isThere(pid));
      disk.free();
      assert.equal((await stopping).status, 0);
      assert.equal((await bench.status(id)).status, 'killed');
      disk.fill();
      const left = await bench.q('supervisor', 'stop');
      assert.deepEqual([left.status, left.stderr], [0, '']);
      disk.free();
      assert.equal((await bench.status(id)).status, 'killed');
    }));

  test('a first run on a full disk says STORE_FULL, and works once space is free', () =>
    onSmallDisk(async (bench, disk) => {
      disk.fill();
      const { status, stderr } = await bench.q('run', 'tiny');
      assert.equal(status, 5);
      assert.match(stderr, /\[STORE_FULL\]/);
      disk.free();
      assert.equal((await bench.q('run', 'tiny')).status, 0);
    }));

  test('a read-only home is refused as such, new or used', () =>
    onSmallDisk(async (bench, disk) => {
      const mount = join(bench.home, '..');
      disk.shell(`mkdir -m 700 ${bench.home} && mount -o remount,ro ${mount}`);
      const check = async (): Promise<void> => {
        const { status, stderr } = await bench.q('run', 'tiny');
        assert.equal(status, 5, stderr);
        assert.match(stderr, /^error cannot use the state folder .*: EROFS \[HOME_UNWRITABLE\]\nhint /);
        const health = await bench.q('doctor');
        assert.equal(health.status, 5);
        assert.match(health.stdout, /✗ {2}home .*EROFS/);
      };
      await check();
      disk.shell(`mount -o remount,rw ${mount}`);
      assert.equal((await bench.q('run', 'tiny')).status, 0);
      assert.equal((await bench.q('supervisor', 'stop')).status, 0);
      disk.shell(`mount -o remount,ro ${mount}`);
      await check();
      disk.shell(`mount -o remount,rw ${mount}`);
    }));
});

function isThere(pid: number | null): boolean {
  return pid !== null && identify(pid) !== null;
}
