import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, readUser } from '../../../src/supervisor/sandboxes/users.ts';

test('a line of passwd is a user', () => {
  const ann = { uid: 1000, gid: 100, name: 'ann', home: '/home/ann' };
  assert.deepEqual(readUser('ann:x:1000:100:Ann:/home/ann:/bin/sh\n', 1000), ann);
  assert.deepEqual(readUser('ann:x:1000:100:Ann::/bin/sh\n', 1000), { ...ann, home: null });
});

test('a line about somebody else, or none, is no user', () => {
  for (const line of ['', 'ann:x:1001:100:Ann:/home/ann:/bin/sh', 'ann:x:1000', ':x:1000:100::/:/bin/sh'])
    assert.equal(readUser(line, 1000), null, line);
});

test('steps of another user have its name and home, and the rest of the environment', () => {
  const env = { HOME: '/root', USER: 'root', LOGNAME: 'root', LANG: 'C' };
  assert.deepEqual(environmentOf(env, null), env);
  assert.deepEqual(environmentOf(env, { uid: 1000, gid: 100, name: 'ann', home: '/home/ann' }), {
    HOME: '/home/ann',
    USER: 'ann',
    LOGNAME: 'ann',
    LANG: 'C',
  });
  assert.deepEqual(environmentOf(env, { uid: 1000, gid: 100, name: null, home: null }), {
    HOME: '/',
    USER: '1000',
    LOGNAME: '1000',
    LANG: 'C',
  });
});
