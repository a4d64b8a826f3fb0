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

describe('a disk that is full or read-only', { timeout: 240_000, skip }, () => {
  /** The home lies on a small disk; on one of 3 MB the reserve is next to nothing. */
  async function onSmallDisk(
    act: (bench: Bench, disk: SmallDisk) => Promise<void>,
    megabytes = 3,
  ): Promise<void> {
    const mount = mkdtempSync(join(tmpdir(), 'qw-disk-'));
    const disk = await mountSmallDisk(mount, megabytes);
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
      // A test that failed while the disk was full must not keep the supervisor from leaving.
      disk.free();
      await bench.close();
      disk.close();
      rmSync(mount, { recursive: true, force: true });
    }
  }

  /** A run whose step has printed 600 KiB and waits: its result goes to a file when it ends. */
  async function startLarge(bench: Bench): Promise<string> {
    bench.script(
      'large.sh',
      'echo ran >> effects.txt; printf \'{"text":"%s"}\' "$(head -c 614400 /dev/zero | tr "\\0" x)"; : > printed; until [ -e go ]; do sleep 0.05; done',
    );
    bench.skill('large', { type: 'code_inline', command: 'sh', args: ['large.sh'] });
    bench.workflow('large', {
      steps: [
        { id: 'a', type: 'skill', skill: 'large', outputs: ['text'] },
        { id: 'b', type: 'skill', skill: 'say', inputs: { text: 'then' } },
      ],
    });
    // A first instance process writes the compile cache when it ends: what room is left then is for records.
    assert.equal((await bench.q('run', 'tiny')).status, 0);
    const { id } = (await bench.json('run', 'large', '--detach')) as { id: string };
    await eventually('the output', () => existsSync(join(bench.workspace, 'printed')));
    return id;
  }
  const waitsForRoom = (bench: Bench, disk: SmallDisk, id: string): Promise<true> =>
    eventually('a result that finds no room', () =>
      disk
        .shell(`cat ${bench.home}/instances/${id}/host-1.log`)
        .includes('the result of step a finds no room on the disk, trying again every 0.5 s'),
    );
  const endOf = (bench: Bench, id: string): Promise<StatusDocument> =>
    eventually('the end', async () => {
      const now = await bench.status(id);
      return now.ended_at !== null && now;
    });

  test('a large result that finds no room waits for it, and its step does not run again', () =>
    onSmallDisk(async (bench, disk) => {
      const id = await startLarge(bench);
      disk.fill(400);
      bench.script('go', '');
      await waitsForRoom(bench, disk, id);
      const during = await bench.status(id);
      assert.deepEqual([during.status, during.incarnations], ['running', 1]);
      disk.free();
      const run = await endOf(bench, id);
      assert.deepEqual([run.status, run.error, run.incarnations], ['completed', null, 1]);
      assert.equal(readFileSync(join(bench.workspace, 'effects.txt'), 'utf8'), 'ran\n');
      const [blob, ...more] = disk.shell(`ls ${bench.home}/instances/${id} | grep blob`).trim().split('\n');
      assert.match(blob ?? '', /^blob-[0-9a-f]{64}\.json$/);
      assert.deepEqual(more, []);
    }, 8));

  test('a process that cannot even say so waits too', () =>
    onSmallDisk(async (bench, disk) => {
      const id = await startLarge(bench);
      const { pid } = await bench.status(id);
      disk.fill();
      bench.script('go', '');
      for (let look = 0; look < 5; look += 1) assert.equal((await bench.status(id)).pid, pid);
      disk.free();
      const run = await endOf(bench, id);
      assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
      assert.equal(readFileSync(join(bench.workspace, 'effects.txt'), 'utf8'), 'ran\n');
    }, 8));

  test('a stop does not wait for the room of a large result; a resume runs its step again', () =>
    onSmallDisk(async (bench, disk) => {
      const id = await startLarge(bench);
      disk.fill(400);
      bench.script('go', '');
      await waitsForRoom(bench, disk, id);
      const before = performance.now();
      assert.equal((await bench.q('stop', id)).status, 0);
      const stopped = await endOf(bench, id);
      assert.ok(
        performance.now() - before < 10_000,
        `${performance.now() - before} ms, ${stopped.status} ${stopped.reason}`,
      );
      assert.equal(stopped.status, 'stopped');
      assert.match(
        stopped.reason ?? '',
        /^stop: by person \w+; the result of step a found no room and is not kept$/,
      );
      assert.deepEqual(
        stopped.steps.map(({ path, status }) => [path, status]),
        [['a', 'interrupted']],
      );
      disk.free();
      assert.equal((await bench.q('resume', id)).status, 0);
      const run = await bench.status(id);
      assert.deepEqual([run.status, run.incarnations], ['completed', 2]);
      assert.equal(readFileSync(join(bench.workspace, 'effects.txt'), 'utf8'), 'ran\nran\n');
    }, 8));

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

  test('below the reserve runs are paused and none is started, with room again both go on', () =>
    onSmallDisk(async (bench, disk) => {
      const { id } = (await bench.json('run', 'three', '--detach')) as { id: string };
      await eventually('the first step', async () => (await bench.status(id)).steps[0]?.status === 'running');
      // 2 percent of 60 MB are 1.2 MB; 700 kB are left.
      const mount = join(bench.home, '..');
      const free = Number(disk.shell(`df -k --output=avail ${mount} | tail -1`));
      disk.shell(`head -c ${(free - 700) * 1024} /dev/zero > ${mount}/filler`);
      const paused = await eventually('the pause', async () => {
        const now = await bench.status(id);
        return now.status === 'paused' && now;
      });
      assert.equal(paused.paused?.by, 'supervisor');
      for (const name of ['one', 'two', 'three']) bench.script(`go-${name}`, '');
      const second = (await bench.json('run', 'tiny', '--detach')) as { id: string };
      assert.equal((await bench.status(second.id)).status, 'queued');
      const { queue } = (await bench.json('supervisor', 'status')) as { queue: { waits_for: string }[] };
      assert.match(queue[0]?.waits_for ?? '', /^room on the disk \(\d MB free, 1 MB kept\)$/);
      assert.equal(existsSync(join(bench.workspace, 'said-go-one')), false);
      disk.shell(`rm ${mount}/filler`);
      for (const each of [id, second.id])
        await eventually(`the end of ${each}`, async () => (await bench.status(each)).status === 'completed');
    }, 60));

  test('where no more files can be made it is the same, and said', () =>
    onSmallDisk(async (bench, disk) => {
      const mount = join(bench.home, '..');
      disk.shell(`mount -o remount,nr_inodes=2000 ${mount}`);
      const { id } = (await bench.json('run', 'three', '--detach')) as { id: string };
      await eventually('the first step', async () => (await bench.status(id)).steps[0]?.status === 'running');
      // 2 percent of 2000 are 40; 30 are left.
      const free = Number(disk.shell(`df --output=iavail ${mount} | tail -1`));
      disk.shell(`mkdir ${mount}/many && cd ${mount}/many && seq ${free - 31} | xargs touch`);
      await eventually('the pause', async () => (await bench.status(id)).status === 'paused');
      for (const name of ['one', 'two', 'three']) bench.script(`go-${name}`, '');
      const second = (await bench.json('run', 'tiny', '--detach')) as { id: string };
      const { queue } = (await bench.json('supervisor', 'status')) as { queue: { waits_for: string }[] };
      assert.match(
        queue[0]?.waits_for ?? '',
        /^room on the disk \(\d+ more files \(inodes\) can be made, 40 kept\)$/,
      );
      disk.shell(`rm -r ${mount}/many`);
      for (const each of [id, second.id])
        await eventually(`the end of ${each}`, async () => (await bench.status(each)).status === 'completed');
    }, 60));

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

  test('a kill ends a run on a full disk, and holds', () =>
    onSmallDisk(async (bench, disk) => {
      const { id } = (await bench.json('run', 'three', '--detach')) as { id: string };
      await eventually('the first step', async () => (await bench.status(id)).steps[0]?.status === 'running');
      const { pid } = await bench.status(id);
      assert.ok(isThere(pid));
      disk.fill();
      const killed = await bench.q('kill', 'workflow:three', '--reason', 'full');
      assert.deepEqual([killed.status, killed.stderr], [0, '']);
      assert.match(killed.stdout, /^workflow:three is tripped \(kill\): 1 instance ended .*no process left/);
      assert.ok(!isThere(pid));
      disk.free();
      await eventually('its end', async () => (await bench.status(id)).status === 'killed');
      const { stdout } = await bench.q('audit', 'list', '--type', 'kill.tripped', '--json');
      assert.match(stdout, /"scope":"workflow:three"/);
      assert.equal((await bench.q('audit', 'verify')).status, 0);
      // What holds it may be the name of a file alone.
      process.kill(await bench.supervisorPid(), 'SIGKILL');
      assert.equal((await bench.q('run', 'three', '--detach')).status, 6);
      assert.equal((await bench.q('rearm', 'workflow:three', '--reason', 'room')).status, 0);
      assert.equal((await bench.q('run', 'three', '--detach')).status, 0);
    }));

  test('a kill where no file can be written says so', () =>
    onSmallDisk(async (bench, disk) => {
      assert.equal((await bench.q('run', 'tiny')).status, 0);
      assert.equal((await bench.q('supervisor', 'stop')).status, 0);
      disk.shell(`mount -o remount,ro ${join(bench.home, '..')}`);
      const { status, stdout } = await bench.q('kill', 'global', '--reason', 'x');
      assert.equal(status, 1);
      assert.match(stdout, /\nNO FILE HOLDS IT: cannot use the state folder .*: EROFS\n/);
      disk.shell(`mount -o remount,rw ${join(bench.home, '..')}`);
    }));

  test('a supervisor that a full disk keeps from starting says so', () =>
    onSmallDisk(async (bench, disk) => {
      assert.equal((await bench.q('run', 'tiny')).status, 0);
      process.kill(await bench.supervisorPid(), 'SIGKILL');
      disk.fill();
      const { status, stderr } = await bench.q('supervisor', 'start');
      assert.equal(status, 5, stderr);
      assert.match(stderr, /\[STORE_FULL\]/);
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
