import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { finish, ROOT } from '../setup/bench-home.ts';

/** No entry of the password file has it. */
const NOBODYS_UID = 61_234;

const skip =
  process.getuid?.() !== 0
    ? 'only root may become another user'
    : readFileSync('/etc/passwd', 'utf8').includes(`:${NOBODYS_UID}:`)
      ? `${NOBODYS_UID} has an entry here`
      : isOpenToAll(join(ROOT, 'bin'))
        ? false
        : 'this clone is not open to others';

test('a user without an entry in the password file is served, without SHELL and HOME too', {
  skip,
}, async () => {
  const as = (env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
    finish(
      spawn(join(ROOT, 'bin', 'q'), ['workflow', ...args], {
        uid: NOBODYS_UID,
        gid: NOBODYS_UID,
        env: { PATH: process.env['PATH'], ...env },
      }),
    );
  for (const env of [{}, { HOME: '/nonexistent' }, { SHELL: '/bin/sh' }]) {
    const { status, stderr, stdout } = await as(env, 'version');
    assert.deepEqual([status, stderr], [0, ''], JSON.stringify(env));
    assert.match(stdout, /^q-workflow\//);
  }
  const { status, stdout } = await as({}, 'list', '--json');
  assert.equal(status, 5);
  assert.match(
    stdout,
    /"code":"HOME_UNWRITABLE","message":"cannot use the state folder \/\.local\/state\/q-workflow/,
  );
});

function isOpenToAll(folder: string): boolean {
  return (statSync(folder).mode & 0o005) === 0o005 && (folder === '/' || isOpenToAll(dirname(folder)));
}
