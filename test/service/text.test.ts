import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateHome } from '../../src/protocol/home.ts';
import { plistText } from '../../src/service/plist-text.ts';
import { type ServiceSpec, serviceEnvironment } from '../../src/service/spec.ts';
import { unitText } from '../../src/service/unit-text.ts';

const home = locateHome({ Q_WORKFLOW_HOME: '/home/me/state' });
const spec = (more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  scope: 'user',
  unit: 'q-workflow.service',
  home,
  command: ['/opt/node', '--no-warnings', '/opt/main.js'],
  environment: { PATH: '/usr/bin:/bin', Q_WORKFLOW_HOME: '/home/me/state' },
  onStop: 'leave',
  drainSeconds: 120,
  canNotify: true,
  managerVersion: 252,
  ...more,
});
/** The values of a setting, in order. */
const settings = (text: string, name: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));

test('a user unit speaks of readiness, watchdog and restarts, and leaves instances alone', () => {
  const text = unitText(spec());
  const of = (name: string): string | undefined => settings(text, name)[0];
  assert.deepEqual(
    ['Type', 'NotifyAccess', 'WatchdogSec', 'Restart', 'KillMode', 'Delegate', 'OOMPolicy', 'LimitCORE'].map(
      of,
    ),
    ['notify', 'all', '30', 'always', 'process', 'yes', 'continue', '0'],
  );
  assert.deepEqual(
    [of('ExecStart'), of('ExecReload'), of('WantedBy'), of('StartLimitIntervalSec'), of('TimeoutStopSec')],
    ['/opt/node --no-warnings /opt/main.js', '/bin/kill -HUP $MAINPID', 'default.target', '0', '45'],
  );
  // Nobody but root may lower its score or name capabilities.
  assert.deepEqual([of('OOMScoreAdjust'), of('CapabilityBoundingSet')], [undefined, undefined]);
});

test('a system unit is the last to be killed for memory and cannot reboot the machine', () => {
  const text = unitText(spec({ scope: 'system' }));
  assert.deepEqual(settings(text, 'OOMScoreAdjust'), ['-900']);
  assert.match(settings(text, 'CapabilityBoundingSet')[0] ?? '', /^~.*CAP_SYS_BOOT/);
  assert.deepEqual(settings(text, 'WantedBy'), ['multi-user.target']);
  assert.deepEqual(settings(text, 'RequiresMountsFor'), ['/home/me/state /opt/node /opt/main.js']);
});

test('no unit has a view of the file system of its own: sandboxes could not mount in it', () => {
  for (const scope of ['user', 'system'] as const)
    assert.doesNotMatch(
      unitText(spec({ scope })),
      /^(?:Protect|Private|ReadOnly|ReadWrite|Inaccessible|TemporaryFile|NoNewPriv|SystemCall|Restrict(?:SUID|Name|Address)|Dynamic|UMask)/m,
    );
});

test('without systemd-notify there is neither readiness nor watchdog to wait for', () => {
  const text = unitText(spec({ canNotify: false }));
  assert.deepEqual(settings(text, 'Type'), ['exec']);
  assert.deepEqual([settings(text, 'WatchdogSec'), settings(text, 'NotifyAccess')], [[], []]);
});

test('the delay of restarts grows where systemd knows how', () => {
  assert.deepEqual(settings(unitText(spec({ managerVersion: 253 })), 'RestartSteps'), []);
  const text = unitText(spec({ managerVersion: 254 }));
  assert.deepEqual([settings(text, 'RestartSteps'), settings(text, 'RestartMaxDelaySec')], [['6'], ['60']]);
});

test('a service that drains is given the time for it', () => {
  assert.deepEqual(settings(unitText(spec({ onStop: 'drain', drainSeconds: 300 })), 'TimeoutStopSec'), [
    '345',
  ]);
});

test('values and words with specifiers, quotes, dollars and spaces are quoted', () => {
  const text = unitText(
    spec({ command: ['/a b/no$e', '100%'], environment: { A: 'x "y" %h \\ $z', B: 'plain' } }),
  );
  assert.deepEqual(settings(text, 'ExecStart'), ['"/a b/no$$e" 100%%']);
  assert.deepEqual(settings(text, 'Environment'), ['"A=x \\"y\\" %%h \\\\ $z"', 'B=plain']);
});

test('a line break cannot add a setting', () => {
  assert.throws(() => unitText(spec({ environment: { TZ: 'UTC\nExecStartPre=/bin/evil' } })), {
    code: 'USAGE',
    message: 'a service cannot be given "TZ=UTC\\nExecStartPre=/bin/evil"',
  });
});

test('the environment is taken over by a list: no key goes into a unit', () => {
  const env = {
    HOME: '/home/me',
    TZ: 'Asia/Tokyo',
    Q_WORKFLOW_ENVIRONMENT: 'production',
    Q_WORKFLOW_API_KEY: 'sk-secret',
    AWS_SECRET_ACCESS_KEY: 'x',
    LD_PRELOAD: '/evil.so',
    PATH: './bin:/home/me/bin:/p/node_modules/.bin:/usr/bin',
  };
  const base = { unit: 'q-workflow.service', home: '/h', onStop: 'leave', drainSeconds: 9 } as const;
  assert.deepEqual(serviceEnvironment(env, { ...base, scope: 'user' }), {
    HOME: '/home/me',
    TZ: 'Asia/Tokyo',
    Q_WORKFLOW_ENVIRONMENT: 'production',
    PATH: '/home/me/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin',
    Q_WORKFLOW_HOME: '/h',
    Q_WORKFLOW_UNIT: 'user/q-workflow.service',
    Q_WORKFLOW_ON_STOP: 'leave',
  });
  const drained = serviceEnvironment(env, { ...base, scope: 'system', onStop: 'drain' });
  assert.equal(drained['PATH'], '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  assert.equal(drained['Q_WORKFLOW_DRAIN_SECONDS'], '9');
});

test('the plist names program, environment and log, with the signs of XML escaped', () => {
  const text = plistText(
    spec({ unit: 'q-workflow.supervisor', environment: { A: '<&>' }, command: ['/opt/a & b'] }),
  );
  assert.match(text, /<key>Label<\/key>\n {2}<string>q-workflow\.supervisor<\/string>/);
  assert.match(text, /<array>\n {4}<string>\/opt\/a &amp; b<\/string>\n {2}<\/array>/);
  assert.match(text, /<key>A<\/key>\n {4}<string>&lt;&amp;&gt;<\/string>/);
  assert.match(text, /<string>\/home\/me\/state\/log\/supervisor\.out<\/string>/);
  for (const key of ['KeepAlive', 'RunAtLoad', 'AbandonProcessGroup'])
    assert.match(text, new RegExp(`<key>${key}</key>\\n {2}<true/>`));
});

test('the plist is well-formed', () => {
  const open: string[] = [];
  for (const [whole, slash, name, empty] of plistText(spec({ environment: { A: 'b' } })).matchAll(
    /<(\/?)(\w+)[^<>]*?(\/?)>/g,
  )) {
    if (whole.startsWith('<plist') || (slash === '' && empty === '')) open.push(name ?? '');
    else if (slash === '/') assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});
