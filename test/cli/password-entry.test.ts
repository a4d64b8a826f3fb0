import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standInForEntry } from '../../src/cli/password-entry.ts';

const NO_ENTRY = (): never => {
  throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
};

test('a uid without an entry gets a shell and a home, each only where none is set', () => {
  const given = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
    standInForEntry(env, NO_ENTRY);
    return env;
  };
  assert.deepEqual(given({}), { SHELL: '/bin/sh', HOME: '/' });
  assert.deepEqual(given({ HOME: '' }), { SHELL: '/bin/sh', HOME: '/' });
  assert.deepEqual(given({ HOME: '/data' }), { SHELL: '/bin/sh', HOME: '/data' });
  assert.deepEqual(given({ SHELL: '/bin/zsh' }), { SHELL: '/bin/zsh', HOME: '/' });
});

test('nobody is asked where both are set, and with an entry nothing is changed', () => {
  const both = { SHELL: '/bin/zsh', HOME: '/data' };
  standInForEntry(both, () => assert.fail('asked'));
  assert.deepEqual(both, { SHELL: '/bin/zsh', HOME: '/data' });
  const none = {};
  standInForEntry(none, () => ({ shell: '/bin/bash' }));
  assert.deepEqual(none, {});
});

test('another error is not hidden', () => {
  assert.throws(
    () =>
      standInForEntry({}, () => {
        throw new Error('broken');
      }),
    /^Error: broken$/,
  );
});
