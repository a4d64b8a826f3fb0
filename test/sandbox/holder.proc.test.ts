import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { identify } from '../../sandbox/process-identity.ts';
import { type Holder, startHolder } from '../../sandbox/systemd/holder.ts';
import { isolationFor, lacks, NONE, until } from './harness.ts';

const ENV = { PATH: '/usr/bin:/bin' };
const skip = process.platform === 'linux' ? false : 'cgroups are a part of Linux';

function reasonOf(answer: Holder | string): string {
  return typeof answer === 'string' ? answer : 'it holds';
}

async function held(prefix: readonly string[]): Promise<Holder> {
  const holder = await startHolder(prefix, '', 10_000, ENV);
  assert.ok(typeof holder !== 'string', reasonOf(holder));
  return holder;
}

test('a holder tells its cgroup, holds until it is let go, then ends', { skip }, async () => {
  const holder = await held([]);
  assert.match(holder.cgroup, /^\//);
  const identity = identify(holder.pid);
  assert.notEqual(identity, null);
  holder.release();
  await holder.ended;
  assert.equal(identify(holder.pid), null);
});

test('a holder that another program becomes is that process', { skip }, async () => {
  const holder = await held(['/usr/bin/env', 'A=b']);
  assert.notEqual(identify(holder.pid), null);
  holder.release();
  await holder.ended;
});

test('a killed holder is seen to end', { skip }, async () => {
  const holder = await held([]);
  process.kill(holder.pid, 'SIGKILL');
  await holder.ended;
});

test('a holder ends with the process that started it, however that dies', { skip }, async () => {
  const module = new URL('../../sandbox/systemd/holder.ts', import.meta.url).href;
  const script = `const { startHolder } = await import(process.argv[1]);
    const holder = await startHolder([], '', 10_000, {});
    console.log(holder.pid);
    setInterval(() => undefined, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('its pid', () => said.includes('\n'));
  const pid = Number(said);
  assert.notEqual(identify(pid), null);
  child.kill('SIGKILL');
  await until('the end of the holder', () => identify(pid) === null);
});

test('the reason is told when it cannot hold', { skip }, async () => {
  assert.equal(await startHolder(['/no/such/tool'], '', 1000, ENV), '/no/such/tool was not found');
  assert.equal(await startHolder(['/bin/false'], '', 5000, ENV), '/bin/false failed: exit status 1');
  assert.equal(
    await startHolder(['/bin/sh', '-c', 'echo Access denied >&2; exit 1'], '', 5000, ENV),
    '/bin/sh failed: Access denied',
  );
  assert.match(
    reasonOf(await startHolder([], '/no/such/cgroup', 5000, ENV)),
    /^\/bin\/sh failed: .*\/no\/such\/cgroup\/cgroup\.procs/,
  );
});

test('one that says nothing in time is killed', { skip }, async () => {
  assert.equal(
    await startHolder(['/bin/sh', '-c', 'exec sleep 300'], '', 50, ENV),
    '/bin/sh did not answer within 0.05 s',
  );
});

test('a holder joins the cgroup that it is told', { skip: lacks('cgroup') }, async (t) => {
  const scope = isolationFor(t, 'cgroup').openScope('held', NONE);
  const { unified } = scope.record.folders;
  if (unified === undefined) return t.skip('this machine has no cgroup2 tree');
  const holder = await startHolder([], `${unified}/host`, 5000, ENV);
  assert.ok(typeof holder !== 'string', reasonOf(holder));
  assert.match(holder.cgroup, /\/held\/host$/);
  holder.release();
  await holder.ended;
});
