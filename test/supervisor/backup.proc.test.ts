import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { backupName } from '../../src/protocol/backups.ts';
import type { InstanceSummary } from '../../src/protocol/control.ts';
import type { BackupDocument } from '../../src/protocol/upkeep-control.ts';
import { hashFile } from '../../src/store/make-backup.ts';
import type { RestoreDocument } from '../../src/store/restore.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { lacksMountNamespaces, mountSmallDisk } from '../setup/small-disk.ts';

const FAILPOINT = 'Q_WORKFLOW_FAILPOINT';

function withSay(bench: Bench): Bench {
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
  return bench;
}

async function run(bench: Bench): Promise<string> {
  return ((await bench.json('run', 'tiny')) as { id: string }).id;
}

async function idsOf(bench: Bench): Promise<string[]> {
  return ((await bench.json('status', '--all')) as InstanceSummary[]).map(({ id }) => id).reverse();
}

const stop = async (bench: Bench): Promise<void> => {
  const { status, stderr } = await bench.q('supervisor', 'stop');
  assert.equal(status, 0, stderr);
};

describe('backups', { timeout: 240_000 }, () => {
  let bench: Bench;
  let backups: string;
  before(() => {
    bench = withSay(openBench());
    backups = join(bench.home, 'backups');
  });
  after(() => bench.close());

  const make = async (...more: string[]): Promise<BackupDocument> =>
    (await bench.json('supervisor', 'backup', ...more)) as BackupDocument;

  test('are made on demand, recorded with size and hash, and told by doctor', async () => {
    const early = await bench.q('doctor');
    assert.match(early.stdout, /✓ {2}backup +none was made yet/);
    await run(bench);
    assert.match((await bench.q('doctor')).stdout, /! {2}backup +none was made yet/);
    const made = await make();
    assert.deepEqual([made.bytes, made.sha256], [statSync(made.file).size, hashFile(made.file)]);
    assert.equal(statSync(made.file).mode & 0o777, 0o600);
    assert.equal(statSync(backups).mode & 0o777, 0o700);
    const { records } = (await bench.json('audit', 'list', '--type', 'store.backed_up')) as {
      records: { actor: { kind: string }; data: unknown }[];
    };
    const { file, bytes, sha256, audit: head } = made;
    assert.deepEqual(
      records.map(({ actor, data }) => [actor.kind, data]),
      [['person', { file, bytes, sha256, head }]],
    );
    assert.match((await bench.q('doctor')).stdout, /✓ {2}backup +the last one is of .* \(0 h ago\)/);
    assert.equal((await bench.q('audit', 'verify')).status, 0);
  });

  test('beyond seven the oldest go; a named one is no part of them and replaces nothing', async () => {
    for (let day = 1; day <= 8; day += 1) writeFileSync(join(backups, backupName(day * 86_400_000)), '');
    const named = join(bench.workspace, 'copy.db');
    await make('--output', named);
    assert.equal(readdirSync(backups).length, 9);
    const again = await bench.q('supervisor', 'backup', '--output', named);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /copy\.db is there already \[USAGE\]/);
    await make();
    const left = readdirSync(backups).sort();
    assert.deepEqual([left.length, left[0]], [7, backupName(4 * 86_400_000)]);
    for (let day = 4; day <= 8; day += 1) rmSync(join(backups, backupName(day * 86_400_000)));
  });

  test('one is put back for a damaged database: it is offered, tells what it lacks, and keeps the other', async () => {
    const { file } = await make();
    const kept = await idsOf(bench);
    const lost = await run(bench);
    const running = await bench.q('supervisor', 'restore', file);
    assert.deepEqual([running.status, /\[SUPERVISOR_RUNNING\]/.test(running.stderr)], [5, true]);
    await stop(bench);
    const database = join(bench.home, 'q-workflow.db');
    const whole = readFileSync(database);
    const damaged = Buffer.from(whole).fill(0xa5, 4096, 4096 * 4);
    writeFileSync(database, damaged);
    const refused = await bench.q('supervisor', 'start');
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /\[STORE_CORRUPT\]\nhint {2}The newest good backup is of /);
    assert.ok(refused.stderr.includes(`q workflow supervisor restore ${file}`), refused.stderr);
    const done = (await bench.json('supervisor', 'restore', file)) as RestoreDocument;
    assert.deepEqual([done.has_key, done.lacks?.first], [true, done.audit.seq + 1]);
    assert.ok((done.lacks?.last ?? 0) > done.audit.seq);
    assert.ok(readFileSync(join(done.replaced ?? '', 'q-workflow.db')).equals(damaged));
    assert.deepEqual(await idsOf(bench), kept);
    assert.ok(!kept.includes(lost));
    const verified = await bench.q('audit', 'verify');
    assert.equal(verified.status, 2);
    const { records } = (await bench.json('audit', 'list', '--type', 'store.restored')) as {
      records: { actor: { kind: string }; data: { lacks: unknown } }[];
    };
    assert.deepEqual(
      records.map(({ actor, data }) => [actor.kind, data.lacks]),
      [['person', done.lacks]],
    );
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  });

  test('one is put back for a database that is gone, or only in parts there: nothing begins anew beside it', async () => {
    const { file } = await make();
    const kept = await idsOf(bench);
    const database = join(bench.home, 'q-workflow.db');
    const lose: Record<string, () => void> = {
      'the file is empty': () => truncateSync(database),
      'is gone': () => rmSync(database),
    };
    for (const [why, act] of Object.entries(lose)) {
      await stop(bench);
      act();
      const refused = await bench.q('run', 'tiny');
      assert.equal(refused.status, 5);
      assert.ok(refused.stderr.includes(`${why} [STORE_CORRUPT]\n`), refused.stderr);
      assert.ok(refused.stderr.trimEnd().endsWith(`q workflow supervisor restore ${file}`), refused.stderr);
      const restored = await bench.q('supervisor', 'restore', file);
      assert.equal(restored.status, 0, restored.stderr);
      assert.deepEqual(await idsOf(bench), kept);
    }
  });
});

describe('a crash', { timeout: 240_000 }, () => {
  for (const [place, count] of [
    ['backup.written', 0],
    ['backup.placed', 1],
    ['backup.recorded', 1],
  ] as const)
    test(`of the supervisor at ${place} leaves no half of a backup, and the next one works`, async () => {
      const bench = withSay(openBench());
      try {
        const started = await bench.qWith({ [FAILPOINT]: `${place}:1` }, 'supervisor', 'start');
        assert.equal(started.status, 0, started.stderr);
        const pid = await bench.supervisorPid();
        assert.notEqual((await bench.q('supervisor', 'backup')).status, 0);
        await eventually('its end', () => !isThere(pid));
        const whole = (): string[] =>
          readdirSync(join(bench.home, 'backups')).filter((name) => name.endsWith('.db'));
        assert.equal(whole().length, count);
        assert.equal((await bench.q('supervisor', 'backup')).status, 0);
        assert.deepEqual(
          [whole().length, readdirSync(join(bench.home, 'backups')).length],
          [count + 1, count + 1],
        );
        assert.equal((await bench.q('audit', 'verify')).status, 0);
      } finally {
        await bench.close();
      }
    });

  for (const place of ['backup.written', 'restore.copied', 'restore.aside', 'restore.placed'] as const)
    test(`of a restore at ${place} leaves the old database or the new one, and the replaced one is there`, async () => {
      const bench = withSay(openBench());
      try {
        const first = await run(bench);
        const { file } = (await bench.json('supervisor', 'backup')) as BackupDocument;
        const second = await run(bench);
        await stop(bench);
        const killed = await bench.qWith({ [FAILPOINT]: `${place}:1` }, 'supervisor', 'restore', file);
        assert.notEqual(killed.status, 0);
        const isOld = place === 'backup.written';
        assert.deepEqual(await idsOf(bench), isOld ? [first, second] : [first]);
        const names = readdirSync(bench.home);
        assert.deepEqual(
          names.filter((name) => name.startsWith('restoring-')),
          [],
        );
        const [replaced] = names.filter((name) => name.startsWith('replaced-'));
        assert.equal(replaced === undefined, isOld);
        if (replaced === undefined) return;
        await stop(bench);
        assert.equal(
          (await bench.q('supervisor', 'restore', join(bench.home, replaced, 'q-workflow.db'))).status,
          0,
        );
        assert.deepEqual(await idsOf(bench), [first, second]);
      } finally {
        await bench.close();
      }
    });
});

describe('a backup on a disk without room', { timeout: 120_000, skip: lacksMountNamespaces() }, () => {
  test('is refused, leaves nothing, and ends neither the supervisor nor a run', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'qw-disk-'));
    const disk = await mountSmallDisk(mount, 6);
    const bench = withSay(openBench({ prefix: (cwd) => disk.prefix(cwd), home: join(mount, 'home') }));
    try {
      bench.script('wait.sh', ': > waits; until [ -e go ]; do sleep 0.05; done');
      bench.skill('wait', { type: 'code_inline', command: 'sh', args: ['wait.sh'] });
      bench.workflow('waits', { steps: [{ id: 'a', type: 'skill', skill: 'wait' }] });
      const { id } = (await bench.json('run', 'waits', '--detach')) as { id: string };
      await eventually('the step', () => readdirSync(bench.workspace).includes('waits'));
      const pid = await bench.supervisorPid();
      disk.fill(250);
      const refused = await bench.q('supervisor', 'backup');
      assert.deepEqual([refused.status, /\[STORE_FULL\]/.test(refused.stderr)], [5, true], refused.stderr);
      assert.equal(disk.shell(`ls ${bench.home}/backups`), '');
      disk.free();
      bench.script('go', '');
      await eventually('the end', async () => (await bench.status(id)).status === 'completed');
      assert.equal(await bench.supervisorPid(), pid);
      assert.equal((await bench.q('supervisor', 'backup')).status, 0);
    } finally {
      disk.free();
      await bench.close();
      disk.close();
      rmSync(mount, { recursive: true, force: true });
    }
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
