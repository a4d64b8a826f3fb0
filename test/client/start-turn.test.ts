import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { awaitStartTurn } from '../../src/client/start-turn.ts';
import { type Home, locateHome } from '../../src/protocol/home.ts';
import { takeLock } from '../../src/protocol/lock.ts';

let home: Home;
beforeEach(() => {
  home = locateHome({ Q_WORKFLOW_HOME: mkdtempSync(join(tmpdir(), 'qw-turn-')) });
});
afterEach(() => rmSync(home.folder, { recursive: true }));

const nobody = () => Promise.resolve(null);

test('the first gets the turn, and the second after its release', async () => {
  const first = await awaitStartTurn(home, nobody);
  assert.ok('lock' in first);
  setTimeout(() => first.lock.release(), 150);
  const second = await awaitStartTurn(home, nobody);
  assert.ok('lock' in second);
  second.lock.release();
});

test('who waits gets the connection to what another has started, and never the turn', async () => {
  const held = takeLock(home.startLockFile);
  let looks = 0;
  const turn = await awaitStartTurn(home, () => Promise.resolve(++looks < 3 ? null : 'socket'));
  assert.deepEqual(turn, { found: 'socket' });
  held?.release();
});

test('what became ready before the lock was free is found, and the lock is free again', async () => {
  assert.deepEqual(await awaitStartTurn(home, () => Promise.resolve('socket')), { found: 'socket' });
  const lock = takeLock(home.startLockFile);
  assert.notEqual(lock, null);
  lock?.release();
});

test('a starter that hangs is named after the deadline', async () => {
  const held = takeLock(home.startLockFile);
  await assert.rejects(awaitStartTurn(home, nobody, 200), {
    code: 'SUPERVISOR_UNREACHABLE',
    message: /another command has been starting the supervisor of .* for 0\.2 s/,
  });
  held?.release();
});

test('kill -9 of the starter passes the turn on', async () => {
  const script = `
    import { takeLock } from ${JSON.stringify(new URL('../../src/protocol/lock.ts', import.meta.url).href)};
    globalThis.lock = takeLock(process.argv[1]);
    console.log('held');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, [
    '--no-warnings',
    '--input-type=module',
    '-e',
    script,
    home.startLockFile,
  ]);
  await once(child.stdout, 'data');
  assert.equal(takeLock(home.startLockFile), null);
  const turn = awaitStartTurn(home, nobody);
  child.kill('SIGKILL');
  const got = await turn;
  assert.ok('lock' in got);
  got.lock.release();
});
