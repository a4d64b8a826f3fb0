/**
 * A scheduler on a real database, with clocks that a test sets. Fires are told by what would start: the registration says
 * nothing about who runs it, so each is recorded as failed in the place of its start, without a process.
 */

import { sha256 } from '../../../src/audit/canonical.ts';
import type { Arguments, OperationName } from '../../../src/store/operations.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Starter } from '../../../src/store/tables/schedule-rows.ts';
import { createFleet, type Fleet } from '../../../src/supervisor/lifecycle/fleet.ts';
import type { Offer } from '../../../src/supervisor/sandboxes/sandboxes.ts';
import { createScheduler, type Scheduler } from '../../../src/supervisor/schedules/scheduler.ts';
import { BARE_SANDBOX } from '../../skills/make.ts';
import { type Desk, openDesk, record } from '../../store/support.ts';
import { fakeContext } from '../fake-context.ts';

export const NOON = Date.parse('2026-06-01T12:00:00Z');
export const MINUTE_MS = 60_000;

const NO_LAYER = { path: null, version: '', note: 'not in this test', fix: '' };
const NOTHING_OFFERED: Offer = {
  ground: BARE_SANDBOX.ground,
  layers: {
    setpriv: { ...NO_LAYER, name: 'setpriv' },
    bubblewrap: { ...NO_LAYER, name: 'bubblewrap', takesDescriptors: false },
    seccomp: { ...NO_LAYER, name: 'seccomp' },
  },
};

interface Audit {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ScheduleDesk {
  readonly desk: Desk;
  /** UTC ms, and the monotonic clock; a test sets them. */
  readonly clock: { wall: number; monotonic: number };
  /** Messages of the log of the last scheduler. */
  said: string[];
  readonly audits: Audit[];
  /** Waited for before each operation; what it throws is the answer. */
  before: (name: OperationName, args: object) => void | Promise<void>;
  /** Of the fleet, what the scheduler sees instead of the real one's. */
  fleet: Partial<Fleet>;
  /** Registers a workflow with this trigger: each minute, when it does not say otherwise. */
  register(trigger: object, name?: string, starter?: Starter): void;
  /** A scheduler that has looked once. */
  begin(): Promise<Scheduler>;
  /** Done when the look that follows a change is over too. */
  look(scheduler: Scheduler): Promise<void>;
  /** Time passes, the scheduler looking at each minute. */
  pass(scheduler: Scheduler, minutes: number): Promise<void>;
  /** The minutes after noon that would have started something. */
  fired(): number[];
  /** How many were missed, by record. */
  missed(): unknown[];
  close(): void;
}

export function openScheduleDesk(): ScheduleDesk {
  const desk = openDesk();
  const clock = { wall: NOON + 1, monotonic: 0 };
  const open: Scheduler[] = [];
  const audits: Audit[] = [];

  const note = (args: object): void => {
    const given = args as { fire?: { audit: Audit } | null; audit?: Audit; entries?: Audit[] };
    for (const one of [given.fire?.audit, given.audit, ...(given.entries ?? [])])
      if (one !== undefined) audits.push(one);
  };

  const made: ScheduleDesk = {
    desk,
    clock,
    said: [],
    audits,
    before: () => undefined,
    fleet: {},
    register: (trigger, name = 'w', starter) => {
      const text = JSON.stringify({
        name,
        version: '1.0.0',
        triggers: [{ type: 'schedule', cron: '* * * * *', ...trigger }],
        steps: [{ id: 'a', type: 'skill', skill: 'say' }],
      });
      const hash = sha256(text);
      const put: Arguments<'registration.put'> = {
        row: {
          name,
          version: '1.0.0',
          definitionHash: hash,
          source: '/w.json',
          registeredAt: clock.wall,
          starter: starter ?? null,
        },
        documents: { [hash]: text },
        schedule: 'has',
        audit: { ...record('workflow.registered'), at: clock.wall },
      };
      desk.one('registration.put', put);
    },
    begin: async () => {
      const fake = fakeContext({});
      made.said = fake.said;
      const store: Store = {
        ...fake.context.store,
        call: async (name, args) => {
          await made.before(name, args);
          note(args);
          const [reply] = desk.batch([name, args]);
          if (reply === undefined || 'error' in reply) throw new Error(JSON.stringify(reply));
          // The writer answers each name with its own type.
          return reply.answer as never;
        },
      };
      const sandboxes = { ...fake.context.sandboxes, offer: async () => NOTHING_OFFERED };
      const context = { ...fake.context, store, sandboxes, now: () => clock.wall };
      const capacity = { memoryBytes: 2 ** 34, cpuPercent: 100, concurrentStarts: 1 };
      const fleet = { ...createFleet(context, capacity), ...made.fleet };
      const scheduler = createScheduler(context, fleet, () => clock.monotonic);
      open.push(scheduler);
      scheduler.start();
      await scheduler.entries();
      return scheduler;
    },
    look: async (scheduler) => {
      await scheduler.change('w', async () => undefined);
      await scheduler.entries();
    },
    pass: async (scheduler, minutes) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        clock.wall += MINUTE_MS;
        clock.monotonic += MINUTE_MS;
        await made.look(scheduler);
      }
    },
    fired: () =>
      audits
        .filter(({ type }) => type === 'schedule.failed')
        .map(({ data }) => (Date.parse(String(data['fire'])) - NOON) / MINUTE_MS),
    missed: () => audits.filter(({ type }) => type === 'schedule.missed').map(({ data }) => data['fires']),
    close: () => {
      for (const scheduler of open.splice(0)) scheduler.close();
      desk.close();
    },
  };
  return made;
}
