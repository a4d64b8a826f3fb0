import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Bench, eventually, finish, openBench } from '../setup/bench-home.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

describe('the state folder', { timeout: 120_000 }, () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
  });
  afterEach(() => bench.close());

  /** The code with which a first run is refused; it exits 5 and nothing of a stack is seen. */
  async function refusal(env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { status, stdout, stderr } = await bench.qWith(env, 'run', 'tiny');
    assert.equal(status, 5, stdout + stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /\n\s+at /);
    return stderr;
  }
  const database = (): string => join(bench.home, 'q-workflow.db');

  test('is made with mode 0700 and holds nothing that others may read', async () => {
    assert.equal((await bench.q('run', 'tiny')).status, 0);
    assert.equal(statSync(bench.home).mode & 0o777, 0o700);
    for (const name of ['control.sock', 'instance.sock'])
      assert.equal(statSync(join(bench.home, name)).mode & 0o777, 0o600, name);
    for (const name of ['log', 'instances', 'secrets'])
      assert.equal(statSync(join(bench.home, name)).mode & 0o777, 0o700, name);
  });

  test('that others may enter is refused with the command that mends it', async () => {
    for (const mode of [0o755, 0o710, 0o701]) {
      mkdirSync(bench.home, { recursive: true });
      chmodSync(bench.home, mode);
      const said = await refusal();
      assert.match(
        said,
        new RegExp(`may be entered by others \\(mode ${mode.toString(8)}\\) \\[HOME_UNSAFE\\]`),
      );
      assert.match(said, new RegExp(`Run: chmod 700 ${bench.home} `));
      assert.equal((await bench.q('doctor')).status, 5);
      assert.deepEqual(readdirSync(bench.home), []);
    }
    chmodSync(bench.home, 0o700);
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  });

  test('of another user, or a link, is refused', {
    skip: isRoot ? false : 'only root can give a folder away',
  }, async () => {
    mkdirSync(bench.home, { mode: 0o700 });
    chownSync(bench.home, NOBODY, NOBODY);
    assert.match(await refusal(), /belongs to user 65534, not to you \(0\) \[HOME_UNSAFE\]/);
    chownSync(bench.home, 0, 0);
    mkdirSync(join(bench.home, 'log'), { mode: 0o700 });
    chownSync(join(bench.home, 'log'), NOBODY, NOBODY);
    assert.match(await refusal(), /\/log belongs to user 65534/);
    rmSync(bench.home, { recursive: true });
    symlinkSync(bench.workspace, bench.home);
    lchownSync(bench.home, 0, 0);
    assert.match(await refusal(), /is not a folder \[HOME_UNSAFE\]/);
    rmSync(bench.home);
  });

  test('that is a file, or lies below one, or has too long a path, is refused', async () => {
    writeFileSync(bench.home, 'mine', { mode: 0o600 });
    const file = await refusal();
    assert.match(file, /is not a folder \[HOME_UNSAFE\]/);
    // It may be /dev/null.
    assert.doesNotMatch(file, /chmod/);
    assert.match(
      await refusal({ Q_WORKFLOW_HOME: join(bench.home, 'below') }),
      /ENOTDIR \[HOME_UNWRITABLE\]/,
    );
    assert.equal(readFileSync(bench.home, 'utf8'), 'mine');
    // Below /proc mkdir says ENOENT although the parent is there.
    for (const folder of ['/proc/q-workflow', '/proc/q-workflow/home'])
      assert.match(await refusal({ Q_WORKFLOW_HOME: folder }), /ENOENT \[HOME_UNWRITABLE\]/);
    const long = join(bench.workspace, 'x'.repeat(100));
    assert.match(
      await refusal({ Q_WORKFLOW_HOME: long }),
      /too long a path.*\[HOME_UNSAFE\]\nhint {2}Set Q_WORKFLOW_HOME/,
    );
    assert.equal(existsSync(long), false);
  });

  test('a database that is garbage is refused and stays as it is, byte for byte', async () => {
    mkdirSync(bench.home, { mode: 0o700 });
    const garbage = Buffer.alloc(20_000, 'no database at all ');
    const header = Buffer.concat([Buffer.from('SQLite format 3\0'), garbage]);
    for (const bytes of [garbage, header]) {
      writeFileSync(database(), bytes);
      assert.match(await refusal(), /cannot open the database .* \[STORE_CORRUPT\]/);
      assert.deepEqual(readFileSync(database()), bytes);
    }
  });

  test('a database with a damaged page, of a newer version or of another program is refused unchanged', async () => {
    for (let index = 0; index < 20; index += 1)
      assert.equal((await bench.q('run', 'tiny', '--detach')).status, 0);
    assert.equal((await bench.q('supervisor', 'stop', '--instances', 'stop')).status, 0);
    const good = readFileSync(database());
    const refusedWith = async (bytes: Buffer, why: RegExp, code = 'STORE_CORRUPT'): Promise<void> => {
      rmSync(`${database()}-wal`, { force: true });
      rmSync(`${database()}-shm`, { force: true });
      writeFileSync(database(), bytes);
      const said = await refusal();
      assert.ok(said.includes(`[${code}]`), said);
      assert.match(said, why);
      assert.ok(readFileSync(database()).equals(bytes), 'the file was changed');
    };
    const damaged = Buffer.from(good);
    damaged.fill(0xa5, 4096 * 3, 4096 * 6);
    await refusedWith(damaged, /integrity check|malformed/);
    await refusedWith(
      changed(good, 'PRAGMA user_version = 99'),
      /schema version 99, this program knows up to \d+ \[STORE_NEWER\]\nhint {2}Run the newer version/,
      'STORE_NEWER',
    );
    await refusedWith(changed(good, 'PRAGMA application_id = 7'), /database of another program/);
    await refusedWith(
      changed(good, 'PRAGMA journal_mode = DELETE; PRAGMA application_id = 7'),
      /another program/,
    );
    writeFileSync(database(), good);
    assert.equal((await bench.q('run', 'tiny')).status, 0);
    assert.equal(((await bench.json('status', '--all')) as unknown[]).length, 21);
  });

  test('what an earlier supervisor left, or another program put at its sockets, does not stop a start', async () => {
    mkdirSync(bench.home, { mode: 0o700 });
    const leave = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(join(bench.home, 'control.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    await finish(leave);
    writeFileSync(join(bench.home, 'instance.sock'), 'a file');
    writeFileSync(join(bench.home, 'spool.jsonl'), '{"type":"cut of');
    assert.equal(existsSync(join(bench.home, 'control.sock')), true);
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  });

  test('a second supervisor is refused, and the first is not disturbed', async () => {
    const pid = await bench.json('supervisor', 'start').then((status) => (status as { pid: number }).pid);
    const second = await bench.q('supervisor', 'run');
    assert.equal(second.status, 5);
    assert.match(second.stderr, /another supervisor holds .*lock\.db/);
    assert.match(second.stderr, /q workflow supervisor status/);
    assert.equal(await bench.supervisorPid(), pid);
    assert.equal((await bench.q('run', 'tiny')).status, 0);
  });

  test('a supervisor in the foreground says when it is ready, hears SIGTERM and exits 0', async () => {
    const child = bench.start(['supervisor', 'run']);
    const ended = finish(child);
    await eventually('an answer', async () => (await bench.q('supervisor', 'status')).status === 0);
    assert.equal((await bench.q('run', 'tiny')).status, 0);
    child.kill('SIGTERM');
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^supervisor ready, pid \d+, home /);
  });
});

/** The bytes of a database after some SQL. */
function changed(bytes: Buffer, sql: string): Buffer {
  const file = join(process.env['TMPDIR'] ?? '/tmp', `qw-changed-${process.pid}.db`);
  writeFileSync(file, bytes);
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  const result = readFileSync(file);
  rmSync(file);
  return result;
}
