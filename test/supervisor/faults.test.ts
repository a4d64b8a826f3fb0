import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JournalEntry } from '../../src/engine/events.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import type { InstanceMessage } from '../../src/protocol/instance-link.ts';
import { type Call, type ControlHandlers, serveControl } from '../../src/supervisor/control-server.ts';
import { openIntake } from '../../src/supervisor/intake/journal-intake.ts';
import { createFleet } from '../../src/supervisor/lifecycle/fleet.ts';
import { createLiveInstance, type LiveInstance } from '../../src/supervisor/lifecycle/live-instance.ts';
import { readLive } from '../../src/supervisor/lifecycle/read-live.ts';
import { resumeInstance } from '../../src/supervisor/lifecycle/resume-instance.ts';
import { instanceMethods } from '../../src/supervisor/watching/instance-methods.ts';
import { fakeContext, runningRow } from './fake-context.ts';

// A promise that is rejected while nobody listens ends the daemon, and so it fails these tests.

const capacity = { memoryBytes: 100, cpuPercent: 100, concurrentStarts: 1 };
const person = { kind: 'person', id: 'x', uid: null } as const;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const limit = { timeout: 5000 };

test('a kill that fails after a breach is logged, and the daemon goes on', limit, async () => {
  const row = runningRow('i');
  const { context, said, scope } = fakeContext(
    { 'instance.get': () => row },
    { kill: () => Promise.reject(new Error('EIO: i/o error')) },
  );
  const fleet = createFleet(context, capacity);
  await fleet.recover(await readLive(context.store, row.id));
  scope.breach({ limit: 'processes', allowed: 1, seen: 2 });
  await settle();
  assert.deepEqual(said, ['warn an observed limit was passed', 'error an instance could not be ended']);
  fleet.close();
});

test('a kill that fails is told to who asked for it, however long its record takes', limit, async () => {
  const row = runningRow('i');
  const recorded = Promise.withResolvers<null>();
  const { context } = fakeContext(
    { 'instance.get': () => row, 'audit.append': () => recorded.promise },
    { kill: () => Promise.reject(new Error('EIO: i/o error')) },
  );
  const fleet = createFleet(context, capacity);
  await fleet.recover(await readLive(context.store, row.id));
  const live = fleet.find('i');
  assert.ok(live !== null);
  const killed = assert.rejects(fleet.kill(live, person), { message: 'EIO: i/o error' });
  await settle();
  recorded.resolve(null);
  await killed;
  fleet.close();
});

type PermitMessage = Extract<InstanceMessage, { type: 'permit' }>;
const permit: PermitMessage = {
  type: 'permit',
  id: 1,
  afterSeq: 0,
  request: { kind: 'spawn', path: 'a', attempt: 1, subject: 's', agentName: null, tier: 'skill' },
};

test('a permit that cannot be looked up on a full disk is asked again', limit, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let looks = 0;
  const appended: unknown[] = [];
  const { context } = fakeContext({
    'journal.read': () => {
      looks += 1;
      if (looks === 1) throw new WorkflowError('STORE_FULL', 'the disk is full');
      const event = { type: 'step.started', path: 'a', stepType: 'skill', attempt: 1 };
      return { entries: [{ seq: 1, at: 1, event }], next: null };
    },
    'journal.append': (args: unknown) => {
      appended.push(args);
      return { lastSeq: 0 };
    },
    'audit.read': () => ({ rows: [{ body: '{"type":"instance.created","at":1,"data":{}}' }], next: null }),
    'document.get': () =>
      JSON.stringify({
        workflow: {
          name: 'w',
          steps: [{ id: 'a', type: 'skill', skill: 's', undo: null }],
          handlers: [],
          errorHandling: { default: { handler: null }, perStep: {}, rollback: { steps: [] } },
        },
        skills: {},
        tiers: {},
      }),
  });
  const live = createLiveInstance(runningRow('i'), [], []);
  const intake = openIntake(context, live, { ended: assert.fail, rejected: assert.fail });
  intake.permit(permit);
  // The policies are read first.
  while (looks === 0) await settle();
  t.mock.timers.tick(1000);
  await intake.drained();
  assert.deepEqual([looks, appended.length], [2, 1]);
});

test('a database that cannot be written holds a run up, and does not end it', limit, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const refusals = ['HOME_UNWRITABLE', 'STORE_CORRUPT', 'STORE_FULL'] as const;
  let tries = 0;
  const { context, said } = fakeContext({
    'journal.append': () => {
      const code = refusals[tries];
      tries += 1;
      if (code !== undefined) throw new WorkflowError(code, 'the disk does not answer');
      return { lastSeq: 1 };
    },
  });
  const live = createLiveInstance(runningRow('i'), [], []);
  const intake = openIntake(context, live, { ended: assert.fail, rejected: assert.fail });
  intake.events([{ seq: 1, at: 1, event: { type: 'run.waiting', until: 9 } }]);
  for (const _ of refusals) {
    await settle();
    t.mock.timers.tick(1000);
  }
  await intake.drained();
  assert.deepEqual([tries, live.lastSeq], [4, 1]);
  assert.deepEqual(
    said,
    refusals.map(() => 'error cannot write the journal, trying again in 1 s'),
  );
});

test('what an agent does without a record for half a minute is ended, and nothing else', limit, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const latched: string[] = [];
  let isRefused = true;
  const { context } = fakeContext({
    'journal.append': () => {
      if (isRefused) throw new WorkflowError('STORE_FULL', 'the disk is full');
      return { lastSeq: 1 };
    },
  });
  const killSwitch: typeof context.killSwitch = {
    ...context.killSwitch,
    latch: ({ scope, mode, reason }) => {
      latched.push(`${scope} ${mode} ${reason}`);
      return { isNew: true, recorded: Promise.resolve() };
    },
  };
  const begun = (seq: number, path: string, stepType: 'agent' | 'skill'): JournalEntry => ({
    seq,
    at: 1,
    event: { type: 'step.started', path, stepType, attempt: 1, inputs: {} },
  });
  const live = createLiveInstance(
    runningRow('i'),
    [begun(1, 'talk', 'agent'), begun(2, 'work', 'skill')],
    [],
  );
  const told: unknown[] = [];
  live.link = linkTo(told);
  const intake = openIntake({ ...context, killSwitch }, live, { ended: assert.fail, rejected: assert.fail });
  intake.events([{ seq: 3, at: 1, event: { type: 'run.waiting', until: 9 } }]);
  const second = async (): Promise<void> => {
    await settle();
    t.mock.timers.tick(1000);
  };
  for (let tries = 0; tries < 29; tries += 1) await second();
  assert.deepEqual(latched, []);
  for (let tries = 0; tries < 40; tries += 1) await second();
  const why = 'AUDIT_FAILURE: nothing could be recorded for 30 s: the disk is full';
  assert.deepEqual(latched, [`step:i/talk kill ${why}`]);
  // It is latched, and what runs is ended.
  const reason = `step:i/talk, by supervisor: ${why}`;
  assert.deepEqual(told, [{ type: 'tripped', scope: 'step:i/talk', reason, epoch: 0, isGentle: false }]);
  isRefused = false;
  await second();
  await intake.drained();
});

test(
  'the process of an agent that used up its budget hears that its permits count no more',
  limit,
  async () => {
    const { context } = fakeContext({ 'journal.append': () => ({ lastSeq: 1 }) });
    const live = createLiveInstance(runningRow('i'), [], []);
    const told: { readonly type?: string; readonly scope?: string }[] = [];
    live.link = linkTo(told);
    const intake = openIntake(context, live, { ended: assert.fail, rejected: assert.fail });
    const error = { code: 'AGENT_LIMIT', message: 'enough', step: 'talk' } as const;
    intake.events([{ seq: 1, at: 1, event: { type: 'step.failed', path: 'talk', error } }]);
    await intake.drained();
    assert.deepEqual(
      told.map(({ type, scope }) => [type, scope]),
      [
        ['tripped', 'step:i/talk'],
        ['ack', undefined],
      ],
    );
  },
);

/** A connection to the process of an instance; what it is sent is in `told`. */
function linkTo(told: unknown[]): LiveInstance['link'] {
  return { send: (message: unknown) => void told.push(message) } as unknown as LiveInstance['link'];
}

test('events that cannot be recorded end their instance, not the daemon', limit, async () => {
  const rejected: string[] = [];
  const { context, said } = fakeContext({});
  const live = createLiveInstance(runningRow('i'), [], []);
  const intake = openIntake(context, live, {
    ended: assert.fail,
    rejected: (reason) => rejected.push(reason),
  });
  // The instance's own code would not send it; the number is one that JSON can bring.
  const result = JSON.parse('{"n": 1e999}') as { n: number };
  intake.events([
    { seq: 1, at: 1, event: { type: 'step.completed', path: 'a', attempt: 1, result, writes: {} } },
  ]);
  await intake.drained();
  assert.deepEqual(rejected, ['canonical JSON cannot hold the number Infinity']);
  assert.deepEqual(said, []);
});

test('a server that cannot accept a connection says so and goes on', limit, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-faults-'));
  const { context, said } = fakeContext({});
  const home = { ...context.home, controlSocket: join(folder, 's') };
  // No method is called.
  const server = await serveControl({ ...context, home }, {} as ControlHandlers);
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  assert.deepEqual(said, ['error a connection could not be accepted']);
  server.close();
  rmSync(folder, { recursive: true });
});

test('a status that is asked for between a commit and its echo says what is committed', limit, async () => {
  const row = runningRow('i');
  const end = { type: 'run.ended', status: 'completed', reason: 'completed', error: null } as const;
  let now = row;
  const { context } = fakeContext({
    'instance.get': () => now,
    'instance.find': () => ['i'],
    'instance.summaries': () => [now],
    'journal.read': () => ({ entries: [{ seq: 1, at: 5, event: end }], next: null }),
  });
  const fleet = createFleet(context, capacity);
  await fleet.recover(await readLive(context.store, row.id));
  now = { ...row, status: 'completed', lastSeq: 1, endedAt: 5 };
  const methods = instanceMethods(context, fleet);
  const call: Call = { notify: () => undefined, gone: new AbortController().signal };
  const document = await methods['instance.status']({ id: 'i' }, call);
  assert.deepEqual([document.status, document.ended_at], ['completed', '1970-01-01T00:00:00.005Z']);
  const [listed] = await methods['instance.list']({ isLiveOnly: true, limit: 1 }, call);
  assert.deepEqual([listed?.status, listed?.ended_at], ['completed', '1970-01-01T00:00:00.005Z']);
  fleet.close();
});

test('who has gone before the answer is no watcher of the run', limit, async () => {
  const row = runningRow('i');
  const { context } = fakeContext({ 'instance.get': () => row, 'instance.find': () => ['i'] });
  const fleet = createFleet(context, capacity);
  await fleet.recover(await readLive(context.store, row.id));
  const gone = new AbortController();
  const call: Call = { notify: () => assert.fail('it has gone'), gone: gone.signal };
  const watching = instanceMethods(context, fleet)['instance.watch']({ id: 'i' }, call);
  gone.abort();
  await watching;
  assert.equal(fleet.find('i')?.watchers.size, 0);
  fleet.close();
});

test('a kill switch refuses a resume before anything else that is missing for it', limit, async () => {
  const row = { ...runningRow('i'), status: 'killed' } as const;
  const { context } = fakeContext({ 'instance.get': () => row });
  const refusal = new WorkflowError('KILL_SWITCH', 'global is tripped');
  const killSwitch = {
    ...context.killSwitch,
    assertArmed: () => {
      throw refusal;
    },
  };
  const fleet = createFleet(context, capacity);
  const caller = { workspace: '/w', userHome: '/', configHome: '/', person: 'x' };
  const request = { id: 'i', from: null, pins: 'check', caller } as const;
  const resumed = resumeInstance({ ...context, killSwitch }, fleet, row, request, async () => []);
  await assert.rejects(resumed, refusal);
  fleet.close();
});
