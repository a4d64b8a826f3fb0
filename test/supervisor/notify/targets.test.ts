import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planCapacity } from '../../../src/supervisor/admission/capacity-plan.ts';
import type { Notification } from '../../../src/supervisor/notify/notification.ts';
import { readTargets, type Targets, wants } from '../../../src/supervisor/notify/targets.ts';

const config = mkdtempSync(join(tmpdir(), 'qw-config-'));
after(() => rmSync(config, { recursive: true }));
const env = { XDG_CONFIG_HOME: config };
const file = join(config, 'q-workflow', 'config.json');

function write(content: object | string): void {
  mkdirSync(join(config, 'q-workflow'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

function read(notifications: object): Targets {
  write({ models: {}, notifications });
  return readTargets(env);
}

test('without a file, or the section, nobody is told', () => {
  assert.deepEqual(readTargets({ XDG_CONFIG_HOME: join(config, 'none') }), { targets: [], problem: null });
  write({});
  assert.deepEqual(readTargets(env), { targets: [], problem: null });
});

test('a webhook and a command; completed runs only where they are asked for', () => {
  const { targets, problem } = read({
    chat: {
      webhook: {
        url: { secret: 'CHAT_URL' },
        headers: { authorization: { env: 'TOKEN', prefix: 'Bearer ' } },
        format: 'slack',
      },
      workflows: ['nightly-*'],
    },
    pager: { command: ['page', '--high'], events: ['kill.tripped', 'run.completed'], timeout: 3 },
  });
  assert.equal(problem, null);
  assert.deepEqual(targets, [
    {
      name: 'chat',
      means: {
        kind: 'webhook',
        url: { secret: 'CHAT_URL' },
        headers: [{ name: 'authorization', prefix: 'Bearer ', value: { env: 'TOKEN' } }],
        format: 'slack',
      },
      timeoutMs: 10_000,
      events: ['run.failed', 'limit.hit', 'approval.requested', 'kill.tripped'],
      workflows: ['nightly-*'],
    },
    {
      name: 'pager',
      means: { kind: 'command', argv: ['page', '--high'] },
      timeoutMs: 3000,
      events: ['kill.tripped', 'run.completed'],
      workflows: [],
    },
  ]);
});

test('the filter: events, and workflows by pattern; a kill switch has no workflow', () => {
  const [target] = read({ a: { command: ['x'], workflows: ['nightly-*'] } }).targets;
  assert.ok(target !== undefined);
  const of = (event: Notification['event'], workflow: string | null): boolean =>
    wants(target, { id: '', event, at: '', workflow, instance: null, text: '', details: {} });
  assert.deepEqual(
    [of('run.failed', 'nightly-report'), of('run.failed', 'other'), of('run.completed', 'nightly-report')],
    [true, false, false],
  );
  assert.equal(of('kill.tripped', null), true);
});

for (const [what, section, problem] of [
  ['neither means', { a: {} }, '$.notifications.a needs either webhook or command'],
  [
    'both means',
    { a: { command: ['x'], webhook: { url: 'https://h/' } } },
    '$.notifications.a needs either webhook or command',
  ],
  [
    'http to another machine',
    { a: { webhook: { url: 'http://h.example/T0KEN' } } },
    '$.notifications.a.webhook.url must be an https address, or one of this machine',
  ],
  [
    'a user in the address',
    { a: { webhook: { url: 'https://u:T0KEN@h.example/' } } },
    '$.notifications.a.webhook.url must be an https address, or one of this machine',
  ],
  [
    'a header that holds its secret itself',
    { a: { webhook: { url: 'https://h/', headers: { authorization: 'T0KEN' } } } },
    '$.notifications.a.webhook.headers.authorization must be {"secret": "NAME"} or {"env": "NAME"}',
  ],
  [
    'an unknown event',
    { a: { command: ['x'], events: ['run.faild'] } },
    '$.notifications.a.events run.faild: not one of run.failed, limit.hit, approval.requested, kill.tripped, run.completed',
  ],
  [
    'a typo',
    { a: { command: ['x'], event: ['run.failed'] } },
    '$.notifications.a.event unknown key "event"; did you mean "events"?',
  ],
  [
    'too long a time',
    { a: { command: ['x'], timeout: 121 } },
    '$.notifications.a.timeout must be 120 seconds at most',
  ],
] as const)
  test(`${what}: nobody is told, and it is said why`, () => {
    const { targets, problem: said } = read({ ...section, good: { command: ['y'] } });
    assert.deepEqual(targets, []);
    assert.equal(said, `${file}: ${problem}`);
    assert.ok(!said.includes('T0KEN'));
  });

test('a file that is no JSON', () => {
  write('{');
  assert.match(readTargets(env).problem ?? '', /config\.json: \$ cannot be read: /);
});

test('the capacity: a reserve of memory and promised CPU, by the machine and the configuration', () => {
  const machine = { memoryBytes: 1000 * 1024 * 1024, cores: 4 };
  write({});
  const { capacity, problem } = planCapacity(machine, env);
  assert.deepEqual(
    [capacity.memoryBytes, capacity.cpuPercent, capacity.concurrentStarts, problem],
    [850 * 1024 * 1024, 20_000, 8, null],
  );
  write({ capacity: { memory_reserve_mb: 400, cpu_percent_per_core: 200 } });
  assert.deepEqual(planCapacity(machine, env).capacity, {
    memoryBytes: 600 * 1024 * 1024,
    cpuPercent: 800,
    concurrentStarts: 8,
  });
  write({ capacity: { memory_reserve_mb: 4000 } });
  assert.deepEqual(planCapacity(machine, env), {
    capacity,
    problem: `${file}: $.capacity.memory_reserve_mb is all the memory of this machine`,
  });
});
