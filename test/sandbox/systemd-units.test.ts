import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isScopeUnitOf,
  mayEnter,
  scopeSlice,
  scopeUnitName,
  systemdRunArguments,
  unitOf,
} from '../../sandbox/systemd/units.ts';

const MANAGER = '/user.slice/user-1000.slice/user@1000.service';
const SCOPE = `${MANAGER}/app.slice/q-workflow-0a1b2c3d-17.scope`;

test('a scope is known by its home, whichever start made it', () => {
  assert.equal(scopeUnitName('0a1b2c3d', 1700), 'q-workflow-0a1b2c3d-1700.scope');
  assert.ok(isScopeUnitOf('0a1b2c3d', scopeUnitName('0a1b2c3d', 1700)));
  for (const name of [
    'q-workflow-ffffffff-1700.scope',
    'q-workflow-0a1b2c3d-.scope',
    'q-workflow-0a1b2c3d-17.service',
    'q-workflow-0a1b2c3d-17.scope.d',
    'x-q-workflow-0a1b2c3d-17.scope',
    'q-workflow-0a1b2c3d-1-7.scope',
  ])
    assert.equal(isScopeUnitOf('0a1b2c3d', name), false, name);
});

test('root asks the systemd of the machine, a user the own one', () => {
  assert.deepEqual(scopeSlice(0), { name: 'system.slice', path: '/system.slice' });
  assert.deepEqual(scopeSlice(1000), { name: 'app.slice', path: `${MANAGER}/app.slice` });
  const common = [
    '--scope',
    '--quiet',
    '--collect',
    '--unit=u.scope',
    '--slice=system.slice',
    '--description=instances of q workflow',
    '--property=Delegate=yes',
    '--property=TasksMax=infinity',
  ];
  assert.deepEqual(systemdRunArguments('u.scope', 0), common);
  const own = common.map((word) => (word.startsWith('--slice=') ? '--slice=app.slice' : word));
  assert.deepEqual(systemdRunArguments('u.scope', 1000), ['--user', ...own]);
});

test('a user enters scopes from within the own systemd only, root from anywhere', () => {
  assert.equal(mayEnter(`${MANAGER}/app.slice/shell.service`, SCOPE, 1000), true);
  assert.equal(mayEnter(`${SCOPE}/q-workflow/leaf`, SCOPE, 1000), true);
  assert.equal(mayEnter('/user.slice/user-1000.slice/session-3.scope', SCOPE, 1000), false);
  assert.equal(mayEnter('/user.slice/user-1001.slice/user@1001.service/x.service', SCOPE, 1000), false);
  assert.equal(mayEnter('/system.slice/q.service', SCOPE, 1000), false);
  assert.equal(mayEnter('/', SCOPE, 1000), false);
  assert.equal(mayEnter('/system.slice/q.service', '/system.slice/q-workflow-0a1b2c3d-17.scope', 0), true);
});

test('the unit of a cgroup is the last part of its path that names one', () => {
  assert.deepEqual(unitOf('/system.slice/q.service'), { name: 'q.service', isUsers: false });
  assert.deepEqual(unitOf('/system.slice/q.service/leaf'), { name: 'q.service', isUsers: false });
  assert.deepEqual(unitOf(`${MANAGER}/app.slice/q.service`), { name: 'q.service', isUsers: true });
  assert.deepEqual(unitOf(MANAGER), { name: 'user@1000.service', isUsers: false });
  assert.deepEqual(unitOf('/user.slice/user-0.slice/session-1.scope'), {
    name: 'session-1.scope',
    isUsers: false,
  });
  assert.equal(unitOf('/'), null);
  assert.equal(unitOf('/docker/abc'), null);
});
