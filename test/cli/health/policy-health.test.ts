import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyPlaceRows } from '../../../src/cli/health/policy-health.ts';
import { quietStatus } from '../../setup/supervisor-status.ts';

const caller = { workspace: '/w', userHome: '/home/me', configHome: '/home/me/.config', person: 'me' };
const details = (...args: Parameters<typeof policyPlaceRows>): string[] =>
  policyPlaceRows(...args).map(({ detail }) => detail);

test('doctor is silent where supervisor and shell read the same policies', () => {
  assert.deepEqual(details(caller, quietStatus(), {}), []);
  assert.deepEqual(details(caller, quietStatus({ config_home: '/home/me/.config' }), {}), []);
  assert.deepEqual(details(caller, quietStatus({ environment: 'ci' }), { Q_WORKFLOW_ENVIRONMENT: 'ci' }), []);
});

test('doctor names the folders and environments that differ', () => {
  assert.deepEqual(details({ ...caller, configHome: '/cfg' }, quietStatus({ environment: 'ci' }), {}), [
    'the supervisor was started with another XDG_CONFIG_HOME: runs are decided by /home/me/.config/q-workflow/policies, policy explain here reads /cfg/q-workflow/policies',
    'the supervisor was started with another Q_WORKFLOW_ENVIRONMENT: runs are decided as in the environment ci, policy explain here answers for default',
  ]);
});

test('a supervisor of an earlier version, which does not say, is not doubted', () => {
  assert.deepEqual(details({ ...caller, configHome: '/cfg' }, {}, {}), []);
});
