import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createEngine } from '../../src/engine/engine.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import type { Attempts } from '../../src/instance/attempts.ts';
import { createDriver } from '../../src/instance/driver.ts';
import { loadEvaluator } from '../../src/instance/evaluator.ts';
import type { Journal } from '../../src/instance/journal.ts';
import { createLeave } from '../../src/instance/leave.ts';
import { load, skill } from '../setup/workflows.ts';
import { BARE_SANDBOX } from '../skills/make.ts';

/** A driver of a run of such steps, with a journal that the test holds. */
async function openDesk(
  steps: readonly object[],
  parts: {
    isEffectFree: boolean;
    journal: Partial<Journal>;
    run?: Attempts['run'];
    errorHandling?: object;
  },
) {
  const { workflow } = await load({ steps, error_handling: parts.errorHandling ?? {} });
  assert.ok(workflow !== null);
  const events: RunEvent[] = [];
  const journal: Journal = {
    append: (more) => events.push(...more),
    committed: async () => undefined,
    atMostUnacked: async () => undefined,
    permit: () => new Promise(() => undefined),
    giveUp: () => null,
    ...parts.journal,
  };
  const attempts: Attempts = {
    recover: () => [],
    abandoned: () => [],
    isEffectFree: () => parts.isEffectFree,
    settleNow: ({ path, attempt }) => ({ path, attempt, kind: 'completed', result: {} }),
    permitRequest: ({ path, attempt }) => ({
      kind: 'spawn',
      path,
      attempt,
      subject: 'work',
      tier: 'skill',
      agentName: null,
    }),
    run: parts.run ?? (() => assert.fail('nothing may be run without leave')),
    endCalls: async () => undefined,
    runLimits: () => [],
    openSessions: 0,
    close: async () => undefined,
  };
  const bootstrap = {
    instance: 'i',
    incarnation: 1,
    token: 't',
    socket: '/nowhere',
    folder: '/nowhere',
    secretsFolder: '/nowhere',
    killFolder: '/nowhere',
    maskKey: '00',
    agentPolicies: {},
    workspace: '/nowhere',
    scratch: '/nowhere',
    workflow,
    skills: {},
    agents: {},
    models: {},
    agentVariables: {},
    inputs: {},
    context: { readonly: {}, mutable: {} },
    journal: [],
    approvals: [],
    scope: { backend: 'polling', name: 'i', folders: {}, marker: 'i' },
    sandbox: { ground: BARE_SANDBOX.ground, steps: {}, networks: {}, keptRepository: [] },
    env: {},
    lastProcess: null,
    remainingMs: 1000,
    startsAt: 0,
    cause: 'start',
    from: null,
    orphanTimeoutMs: 1000,
  } as const;
  const engine = createEngine(workflow, { evaluator: await loadEvaluator(workflow) });
  return {
    driver: createDriver(bootstrap, engine, attempts, journal, createLeave(bootstrap, journal)),
    events,
  };
}

const limit = { timeout: 5000 };

test('a stop that comes while the driver waits for acks is not lost', limit, async () => {
  const asked = Promise.withResolvers<void>();
  const acked = Promise.withResolvers<void>();
  const { driver, events } = await openDesk([skill('a'), skill('b'), skill('c')], {
    isEffectFree: true,
    journal: {
      atMostUnacked: () => {
        asked.resolve();
        return acked.promise;
      },
    },
  });
  const ended = driver.run();
  await asked.promise;
  driver.stop('stop', 'person x');
  acked.resolve();
  assert.equal(await ended, 'ended');
  const last = events.at(-1);
  assert.ok(last?.type === 'run.ended');
  assert.deepEqual([last.status, last.reason], ['stopped', 'stop: by person x']);
});

test('a process that is alone for too long ends, also while it waits for leave', limit, async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const { driver } = await openDesk([skill('a')], {
    isEffectFree: false,
    journal: {
      permit: (_request, signal) => {
        asked.resolve(signal);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
      },
    },
  });
  void driver.run();
  await asked.promise;
  await driver.abandon();
});

test(
  'the end of a run says what was given up, also when the run had ended but for its record',
  limit,
  async () => {
    const waits = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    let lost: string | null = null;
    const { driver, events } = await openDesk([skill('a')], {
      isEffectFree: true,
      journal: {
        committed: () => {
          asked.resolve();
          return waits.promise;
        },
        giveUp: () => {
          lost = 'the result of step a';
          waits.resolve();
          return lost;
        },
      },
    });
    const ended = driver.run();
    await asked.promise;
    driver.stop('time_limit', 'max_execution_time 1 s');
    assert.equal(await ended, 'ended');
    const last = events.at(-1);
    assert.ok(last?.type === 'run.ended');
    assert.deepEqual(
      [last.status, last.error?.code, last.reason],
      [
        'timed_out',
        'TIME_LIMIT',
        'time_limit: by max_execution_time 1 s; the result of step a found no room and is not kept',
      ],
    );
  },
);

for (const isGentle of [false, true])
  test(
    `a trip ends what it covers, ${isGentle ? 'with a grace' : 'at once'}, and is over when that is`,
    limit,
    async () => {
      const started = Promise.withResolvers<AbortSignal>();
      const gone = Promise.withResolvers<void>();
      const { driver, events } = await openDesk([skill('a')], {
        isEffectFree: false,
        journal: { permit: async () => allowed },
        run: async (_command, signal) => {
          started.resolve(signal);
          await gone.promise;
          return null;
        },
      });
      const ended = driver.run();
      const signal = await started.promise;
      const trip = { reason: 'step:i/a, by person x: why', epoch: 1, isGentle };
      await driver.trip({ ...trip, scope: 'step:i/b' });
      assert.equal(signal.aborted, false);
      let isOver = false;
      const tripped = driver.trip({ ...trip, scope: 'step:i/a' }).then(() => {
        isOver = true;
      });
      assert.equal(signal.reason === 'at_once', !isGentle);
      assert.equal(signal.aborted, true);
      await setImmediate();
      assert.equal(isOver, false);
      gone.resolve();
      await tripped;
      assert.equal(await ended, 'ended');
      const last = events.at(-1);
      assert.ok(last?.type === 'run.ended');
      assert.equal(last.error?.code, 'KILL_SWITCH');
    },
  );

const allowed = {
  decision: 'allow',
  code: null,
  rules: [],
  policyHash: 'h',
  inputsHash: 'h',
  epoch: 0,
  reason: 'x',
} as const;

test(
  'a retry comes when it has waited its time, also when the clock was set back meanwhile',
  limit,
  async (t) => {
    let behindMs = 0;
    const wall = Date.now;
    t.mock.method(Date, 'now', () => wall() - behindMs);
    let attempts = 0;
    const { driver, events } = await openDesk([skill('a')], {
      isEffectFree: false,
      journal: { permit: async () => allowed },
      run: async ({ path, attempt }) => {
        attempts += 1;
        if (attempts > 1) return { path, attempt, kind: 'completed', result: {} };
        setTimeout(() => (behindMs = 3_600_000), 50);
        const error = { code: 'EXIT_NONZERO', message: 'it failed', step: path } as const;
        return { path, attempt, kind: 'failed', error };
      },
      errorHandling: { per_step: { a: { strategy: 'retry', initial_delay: 0.2, jitter: 'none' } } },
    });
    assert.equal(await driver.run(), 'ended');
    assert.equal(attempts, 2);
    const end = events.at(-1);
    assert.ok(end?.type === 'run.ended' && end.status === 'completed');
  },
);
