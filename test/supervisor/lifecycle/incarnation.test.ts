import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KillReport, Scope, ScopeRecord } from '../../../sandbox/isolation.ts';
import { identify } from '../../../sandbox/process-identity.ts';
import type { SupervisorContext } from '../../../src/supervisor/context.ts';
import { createIncarnations } from '../../../src/supervisor/lifecycle/incarnation.ts';
import type { LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';

const RECORD: ScopeRecord = { backend: 'cgroup-v2', name: 'a.1', folders: {}, marker: 'k/a.1' };

/** Incarnations with one adopted instance that lives and does not connect; `kills` counts what befalls it. */
function adoptOne(): {
  incarnations: ReturnType<typeof createIncarnations>;
  live: LiveInstance;
  kills: () => number;
} {
  let kills = 0;
  const report: KillReport = { found: [], foundCount: 0, killedCount: 0, survivors: [], durationMs: 0 };
  const scope = {
    record: RECORD,
    onBreach: () => () => undefined,
    whenEmpty: () => new Promise(() => undefined),
    kill: () => {
      kills += 1;
      return Promise.resolve(report);
    },
  } as unknown as Scope;
  const context = { now: () => 0, isolation: { reopenScope: () => scope } } as unknown as SupervisorContext;
  const incarnations = createIncarnations(context, { over: () => undefined });
  const row = {
    id: 'a',
    limits: { executionMs: 3_600_000 },
    activeMs: 0,
    activeSince: null,
    pausedAt: null,
    scope: RECORD,
  };
  const live = {
    row,
    process: identify(process.pid),
    link: null,
    endRequest: null,
  } as unknown as LiveInstance;
  incarnations.adopt(live);
  return { incarnations, live, kills: () => kills };
}

test('an adopted instance is not taken for hung before it may connect', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const { incarnations, kills } = adoptOne();
  t.mock.timers.tick(60_000);
  assert.equal(kills(), 0, 'a supervisor that takes long to start does not kill what it adopts');
  incarnations.expectAdopted();
  t.mock.timers.tick(14_999);
  assert.equal(kills(), 0);
  t.mock.timers.tick(1);
  assert.equal(kills(), 1);
});

test('who ends a hung instance for good is not outdone by what found it hung', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const { incarnations, live } = adoptOne();
  const hung = { kind: 'hung', by: 'it was silent for 10 s' } as const;
  const failed = { kind: 'start_failed', by: 'it did not report in time' } as const;
  const killed = { kind: 'killed', by: 'person me' } as const;
  await incarnations.end(live, hung);
  await incarnations.end(live, failed);
  assert.deepEqual(live.endRequest, hung);
  await incarnations.end(live, killed);
  assert.deepEqual(live.endRequest, killed);
  for (const late of [hung, failed, { kind: 'time_limit', by: 'supervisor' } as const]) {
    await incarnations.end(live, late);
    assert.deepEqual(live.endRequest, killed);
  }
});
