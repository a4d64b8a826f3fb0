import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { sha256 } from '../../../src/audit/canonical.ts';
import type { InstanceSummary } from '../../../src/protocol/control.ts';
import type { ArchiveDocument, ArchiveRun } from '../../../src/protocol/upkeep-control.ts';
import { type Bench, eventually, openBench, ROOT } from '../../setup/bench-home.ts';
import { lacksMountNamespaces, mountSmallDisk } from '../../setup/small-disk.ts';

const FAILPOINT = 'Q_WORKFLOW_FAILPOINT';

function withWorkflows(bench: Bench): Bench {
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  bench.script(
    'big.sh',
    'echo "a line"; printf \'{"text":"%s"}\' "$(head -c 400000 /dev/zero | tr "\\0" x)"',
  );
  bench.skill('big', { type: 'code_inline', command: 'sh', args: ['big.sh'] });
  bench.script('wait.sh', 'test -e fails && exit 3; : > waits; until [ -e go ]; do sleep 0.05; done');
  bench.skill('wait', { type: 'code_inline', command: 'sh', args: ['wait.sh'] });
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
  bench.workflow('large', { steps: [{ id: 'a', type: 'skill', skill: 'big', outputs: ['text'] }] });
  bench.workflow('waits', { steps: [{ id: 'a', type: 'skill', skill: 'wait' }] });
  return bench;
}

const idOf = async (bench: Bench, ...args: string[]): Promise<string> =>
  ((await bench.json('run', ...args)) as { id: string }).id;
const archiveAll = async (bench: Bench): Promise<ArchiveRun> =>
  (await bench.json('archive', 'run', '--before', '0s')) as ArchiveRun;
const archived = async (bench: Bench): Promise<string[]> =>
  ((await bench.json('archive', 'list')) as ArchiveDocument[]).map(({ id }) => id);
const present = async (bench: Bench): Promise<string[]> =>
  ((await bench.json('status', '--all')) as InstanceSummary[]).map(({ id }) => id);

/** Exit statuses of our verifier and of the one that stands alone. */
async function verdicts(bench: Bench): Promise<(number | null)[]> {
  const { stdout, status } = await bench.q('audit', 'verify', '--json');
  const { anchor, database } = JSON.parse(stdout) as { anchor: { file: string }; database: string };
  const words = [join(ROOT, 'scripts/verify-audit.mjs'), database, '--anchor', anchor.file];
  // What was recorded last is signed a moment later; without the key nobody can tell of it before.
  const alone = await eventually('all is signed', () => {
    const done = spawnSync(process.execPath, ['--no-warnings', ...words], { encoding: 'utf8' });
    return done.stdout.includes('are not signed yet') ? null : done;
  });
  if (alone.status !== status) console.error(alone.stdout, alone.stderr);
  return [status, alone.status];
}

describe('the archive', { timeout: 240_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = withWorkflows(openBench());
  });
  after(() => bench.close());
  const file = (id: string): string => join(bench.home, 'archive', `${id}.jsonl.gz`);

  test('takes ended runs with their files and rows, leaves live ones, and the audit log is intact', async () => {
    const ended = [await idOf(bench, 'tiny'), await idOf(bench, 'large')];
    const live = await idOf(bench, 'waits', '--detach');
    await eventually('the step', () => existsSync(join(bench.workspace, 'waits')));
    assert.deepEqual(((await bench.json('archive', 'run')) as ArchiveRun).archived, []);
    const status = await bench.status(ended[1] ?? '');
    const logs = (await bench.q('logs', ended[1] ?? '')).stdout;
    assert.match(logs, /a line/);
    const done = await archiveAll(bench);
    assert.deepEqual([done.archived, done.stopped], [ended, null]);
    assert.deepEqual(await present(bench), [live]);
    assert.deepEqual((await archived(bench)).sort(), [...ended].sort());
    assert.deepEqual(readdirSync(join(bench.home, 'instances')), [live]);
    const missing = await bench.q('status', ended[1] ?? '');
    assert.deepEqual([missing.status, /archive list/.test(missing.stderr)], [4, true]);
    // Its records are not in the archive: who looks for what was done finds them as before.
    for (const name of [ended[1] ?? '', (ended[1] ?? '').slice(0, 9)]) {
      const { records } = (await bench.json('audit', 'list', '--instance', name)) as {
        records: { type: string }[];
      };
      assert.deepEqual([records[0]?.type, records.at(-1)?.type], ['instance.created', 'instance.archived']);
    }
    assert.equal((await bench.q('audit', 'list', '--instance', 'zzzz')).status, 4);
    assert.deepEqual(await verdicts(bench), [0, 0]);
    const shown = (await bench.json('archive', 'show', ended[1] ?? '')) as { parts: { part: string }[] };
    assert.ok(shown.parts.some(({ part }) => /^file:blob-[0-9a-f]{64}\.json$/.test(part)));
    const back = await bench.q('archive', 'restore', (ended[1] ?? '').slice(0, 8));
    assert.equal(back.status, 0, back.stderr);
    assert.deepEqual(await bench.status(ended[1] ?? ''), status);
    assert.equal((await bench.q('logs', ended[1] ?? '')).stdout, logs);
    assert.equal(existsSync(file(ended[1] ?? '')), false);
    assert.deepEqual(await verdicts(bench), [0, 0]);
    bench.script('go', '');
    await eventually('the end', async () => (await bench.status(live)).status === 'completed');
  });

  test('brings a failed run back so that it can be resumed, and takes it again', async () => {
    bench.script('fails', '');
    const id = await idOf(bench, 'waits');
    assert.equal((await bench.status(id)).status, 'failed');
    rmSync(join(bench.workspace, 'fails'));
    await archiveAll(bench);
    assert.equal((await bench.q('archive', 'restore', id)).status, 0);
    assert.equal((await bench.q('resume', id)).status, 0);
    await eventually('the end', async () => (await bench.status(id)).status === 'completed');
    assert.deepEqual(await verdicts(bench), [0, 0]);
    assert.ok((await archiveAll(bench)).archived.includes(id));
    assert.deepEqual(await verdicts(bench), [0, 0]);
  });

  test('that was damaged or rewritten is not put back, and nothing has changed', async () => {
    const id = await idOf(bench, 'tiny');
    await archiveAll(bench);
    const whole = readFileSync(file(id));
    const lines = gunzipSync(whole).toString().trimEnd().split('\n');
    const changed = lines.map((line) => line.replace('"status":"completed"', '"status":"failed"'));
    // Whoever changes the text can mend the manifest too; the audit log has what was archived.
    const state = changed.find((line) => line.startsWith('{"state"')) ?? '';
    const old = sha256(`${lines.find((line) => line.startsWith('{"state"'))}\n`);
    const bytes = Buffer.byteLength(`${state}\n`);
    const mended = changed.map((line) =>
      line.startsWith('{"manifest"')
        ? line.replace(/"bytes":\d+,/, `"bytes":${bytes},`).replace(old, sha256(`${state}\n`))
        : line,
    );
    const bad = [
      whole.subarray(0, whole.length - 40),
      gzipSync(changed.join('\n')),
      gzipSync(mended.join('\n')),
      Buffer.from('no archive'),
      // Whole by its own manifest: files of it, such as logs, are vouched for by the audit log alone.
      gzipSync(lines.join('\n'), { level: 1 }),
    ];
    for (const [index, content] of bad.entries()) {
      writeFileSync(file(id), content);
      const refused = await bench.q('archive', 'restore', id);
      assert.match(refused.stderr, /\[ARCHIVE_DAMAGED\]/, `number ${index}`);
      assert.match(refused.stderr, /not what the audit log says was archived/);
      assert.equal((await bench.q('archive', 'show', id)).status, 5, `number ${index}`);
      assert.ok(!(await present(bench)).includes(id));
      assert.equal(existsSync(join(bench.home, 'instances', id)), false);
    }
    writeFileSync(file(id), whole);
    assert.equal((await bench.q('archive', 'restore', id)).status, 0);
  });

  test('is verified: a row that is here though it was archived, and events taken of a run that was not', async () => {
    const id = await idOf(bench, 'tiny');
    await archiveAll(bench);
    const kept = await idOf(bench, 'tiny');
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    const change = async (sql: string): Promise<(number | null)[]> => {
      const database = new DatabaseSync(join(bench.home, 'q-workflow.db'));
      database.exec(sql);
      database.close();
      return await verdicts(bench);
    };
    assert.deepEqual(await verdicts(bench), [0, 0]);
    const copy = `CREATE TEMP TABLE copy AS SELECT * FROM instances kept WHERE id = '${kept}';
      UPDATE copy SET id = '${id}'; INSERT INTO instances SELECT * FROM copy;`;
    assert.deepEqual(await change(copy), [2, 2]);
    assert.deepEqual(await change(`DELETE FROM instances WHERE id = '${id}'`), [0, 0]);
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'));
    const sql = String(
      database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'events_no_delete'").get()?.['sql'],
    );
    database.close();
    const cut = `DROP TRIGGER events_no_delete; DELETE FROM events WHERE instance = '${kept}' AND seq = 1; ${sql};`;
    assert.deepEqual(await change(cut), [2, 2]);
  });
});

describe('archives beyond their bounds', { timeout: 120_000 }, () => {
  test('are removed, the oldest ends first, each with a record', async () => {
    const bench = withWorkflows(openBench());
    try {
      const ids: string[] = [];
      for (let count = 0; count < 3; count += 1) ids.push(await idOf(bench, 'tiny'));
      await archiveAll(bench);
      assert.deepEqual((await bench.json('archive', 'prune')) as unknown, { removed: [] });
      const { removed } = (await bench.json('archive', 'prune', '--count', '1')) as {
        removed: ArchiveDocument[];
      };
      assert.deepEqual(removed.map(({ id }) => id).sort(), ids.slice(0, 2).sort());
      assert.deepEqual(await archived(bench), [ids[2]]);
      const { records } = (await bench.json('audit', 'list', '--type', 'archive.pruned')) as {
        records: { instance: string }[];
      };
      assert.deepEqual(records.map(({ instance }) => instance).sort(), ids.slice(0, 2).sort());
      assert.deepEqual(await verdicts(bench), [0, 0]);
      const wrong = await bench.qWith({ Q_WORKFLOW_ARCHIVE_DAYS: 'soon' }, 'supervisor', 'stop');
      assert.equal(wrong.status, 0);
      const refused = await bench.qWith({ Q_WORKFLOW_ARCHIVE_DAYS: 'soon' }, 'supervisor', 'start');
      assert.match(refused.stderr, /Q_WORKFLOW_ARCHIVE_DAYS is "soon"; allowed: a whole number, never/);
    } finally {
      await bench.close();
    }
  });
});

describe('a crash of the supervisor', { timeout: 240_000 }, () => {
  for (const place of [
    'archive.packed',
    'archive.placed',
    'archive.committed',
    'archive.removing',
    'archive.unpacked',
    'archive.put_back',
  ] as const)
    test(`at ${place} leaves the instance here or in the archive, whole and once`, async () => {
      const bench = withWorkflows(openBench());
      try {
        const id = await idOf(bench, 'large');
        const status = await bench.status(id);
        const isRestore = place === 'archive.unpacked' || place === 'archive.put_back';
        if (isRestore) await archiveAll(bench);
        assert.equal((await bench.q('supervisor', 'stop')).status, 0);
        const started = await bench.qWith({ [FAILPOINT]: `${place}:1` }, 'supervisor', 'start');
        assert.equal(started.status, 0, started.stderr);
        const words = isRestore ? ['restore', id] : ['run', '--before', '0s'];
        assert.notEqual((await bench.q('archive', ...words)).status, 0);
        const isHere = ['archive.packed', 'archive.placed', 'archive.put_back'].includes(place);
        assert.deepEqual([await present(bench), await archived(bench)], isHere ? [[id], []] : [[], [id]]);
        if (isHere) assert.deepEqual(await bench.status(id), status);
        assert.deepEqual(await verdicts(bench), [0, 0]);
        const again = await archiveAll(bench);
        assert.deepEqual(again.archived, isHere ? [id] : []);
        assert.deepEqual(readdirSync(join(bench.home, 'instances')), []);
        assert.deepEqual(readdirSync(join(bench.home, 'archive')), [`${id}.jsonl.gz`]);
        assert.equal((await bench.q('archive', 'restore', id)).status, 0);
        assert.deepEqual(await bench.status(id), status);
        assert.deepEqual(await verdicts(bench), [0, 0]);
      } finally {
        await bench.close();
      }
    });
});

describe('a database that is older than its archives', { timeout: 120_000 }, () => {
  for (const cut of [null, 'archive.removing'] as const)
    test(`has the files of its instances again${cut === null ? '' : ', also where their removal was cut short'}`, async () => {
      const bench = withWorkflows(openBench());
      try {
        const id = await idOf(bench, 'large');
        const status = await bench.status(id);
        const { file } = (await bench.json('supervisor', 'backup')) as { file: string };
        assert.equal((await bench.q('supervisor', 'stop')).status, 0);
        const env = cut === null ? {} : { [FAILPOINT]: `${cut}:1` };
        assert.equal((await bench.qWith(env, 'supervisor', 'start')).status, 0);
        assert.equal((await bench.q('archive', 'run', '--before', '0s')).status === 0, cut === null);
        await bench.q('supervisor', 'stop');
        assert.equal(existsSync(join(bench.home, 'instances', id)), false);
        assert.equal((await bench.q('supervisor', 'restore', file)).status, 0);
        assert.deepEqual([await present(bench), await archived(bench)], [[id], []]);
        // A run of the archive mends it.
        await bench.q('archive', 'run');
        assert.deepEqual(await bench.status(id), status);
        assert.deepEqual(readdirSync(join(bench.home, 'archive')), []);
        assert.deepEqual(readdirSync(join(bench.home, 'instances')), [id]);
      } finally {
        await bench.close();
      }
    });
});

describe('archiving on a disk without room', { timeout: 120_000, skip: lacksMountNamespaces() }, () => {
  test('stops, says so, and ends neither the supervisor nor a run', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'qw-disk-'));
    const disk = await mountSmallDisk(mount, 8);
    const bench = withWorkflows(openBench({ prefix: (cwd) => disk.prefix(cwd), home: join(mount, 'home') }));
    try {
      const id = await idOf(bench, 'large');
      const live = await idOf(bench, 'waits', '--detach');
      await eventually('the step', () => existsSync(join(bench.workspace, 'waits')));
      const pid = await bench.supervisorPid();
      disk.fill(250);
      const done = await archiveAll(bench);
      assert.deepEqual([done.archived, /^no room to archive in /.test(done.stopped ?? '')], [[], true]);
      disk.free();
      bench.script('go', '');
      await eventually('the end', async () => (await bench.status(live)).status === 'completed');
      assert.equal(await bench.supervisorPid(), pid);
      assert.deepEqual((await archiveAll(bench)).archived.slice(0, 1), [id]);
      assert.equal(disk.shell(`ls ${bench.home}/archive`).includes('.tmp'), false);
    } finally {
      disk.free();
      await bench.close();
      disk.close();
      rmSync(mount, { recursive: true, force: true });
    }
  });
});
