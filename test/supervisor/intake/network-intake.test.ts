import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkEvent } from '../../../sandbox/network/events.ts';
import type { AuditEntry } from '../../../src/audit/record.ts';
import { severityOf } from '../../../src/audit/severity.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import type { SupervisorContext } from '../../../src/supervisor/context.ts';
import { openNetworkIntake } from '../../../src/supervisor/intake/network-intake.ts';
import type { LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';

function setUp() {
  const entries: AuditEntry[] = [];
  const sent: unknown[] = [];
  const errors: string[] = [];
  const commit = { wait: Promise.resolve(), error: null as Error | null };
  const context = {
    now: () => 7,
    log: { error: (text: string) => errors.push(text) },
    store: {
      call: async (_name: string, { entries: given }: { entries: AuditEntry[] }) => {
        await commit.wait;
        if (commit.error !== null) throw commit.error;
        entries.push(...given);
      },
    },
  } as unknown as SupervisorContext;
  const live = { row: { id: 'i' }, incarnation: 2, link: { send: (message: unknown) => sent.push(message) } };
  return {
    entries,
    sent,
    errors,
    commit,
    intake: openNetworkIntake(context, live as unknown as LiveInstance),
  };
}

const decided: NetworkEvent = {
  type: 'decided',
  connection: 4,
  outcome: 'refused',
  method: 'connect',
  host: 'evil.example',
  port: 443,
  addresses: [],
  rule: null,
  reason: 'host_not_listed',
};
const ended: NetworkEvent = {
  type: 'ended',
  connection: 4,
  address: '8.8.8.8',
  bytesOut: 1,
  bytesIn: 2,
  reason: null,
};
const from = { path: 'loop[2]/a', attempt: 1, tool: 'exec' };

test('decisions and ends become records of the run, answered after the commit', async () => {
  const { entries, sent, commit, intake } = setUp();
  const gate = Promise.withResolvers<void>();
  commit.wait = gate.promise;
  intake.take(1, { ...from, event: decided });
  intake.take(2, { ...from, event: ended });
  assert.deepEqual(sent, []);
  gate.resolve();
  await intake.drained();
  assert.deepEqual(sent, [
    { type: 'network', id: 1, isRecorded: true },
    { type: 'network', id: 2, isRecorded: true },
  ]);
  const { type: _, ...facts } = decided;
  const common = { at: 7, actor: { kind: 'instance', id: 'i#2', uid: null }, instance: 'i' };
  const { connection, address, reason } = ended;
  assert.deepEqual(entries, [
    { ...common, type: 'network.decided', data: { ...from, ...facts } },
    {
      ...common,
      type: 'network.ended',
      data: { ...from, connection, address, bytes_out: 1, bytes_in: 2, reason },
    },
  ]);
  assert.deepEqual(
    entries.map(({ type, data }) => severityOf(type, data)),
    ['warning', 'info'],
  );
});

test('an end waits until it can be recorded', { timeout: 10_000 }, async (t) => {
  const { entries, sent, errors, commit, intake } = setUp();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  commit.error = new WorkflowError('HOME_UNWRITABLE', 'the disk is full');
  intake.take(1, { ...from, event: ended });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([sent, errors.length], [[], 1]);
  commit.error = null;
  t.mock.timers.tick(1000);
  await intake.drained();
  assert.deepEqual(sent, [{ type: 'network', id: 1, isRecorded: true }]);
  assert.equal(entries.length, 1);
});

test('what cannot be recorded is answered so, and a supervisor that leaves answers nothing', async () => {
  const { entries, sent, errors, commit, intake } = setUp();
  commit.error = new WorkflowError('HOME_UNWRITABLE', 'the disk is full');
  intake.take(1, { ...from, event: decided });
  await intake.drained();
  assert.deepEqual(sent, [{ type: 'network', id: 1, isRecorded: false }]);
  assert.equal(errors.length, 1);
  commit.error = new WorkflowError('SHUTTING_DOWN', 'going');
  intake.take(2, { ...from, event: decided });
  await intake.drained();
  assert.deepEqual([sent.length, errors.length, entries.length], [1, 1, 0]);
});
