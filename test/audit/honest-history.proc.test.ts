import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sha256 } from '../../src/audit/canonical.ts';
import { type AuditEntry, eventRecord, SUPERVISOR } from '../../src/audit/record.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import type { OperationName } from '../../src/store/operations.ts';
import type { ArchivedRows, RawRow } from '../../src/store/tables/archive-rows.ts';
import type { FireRow, FireStatus, NewFire, ScheduleRow } from '../../src/store/tables/schedule-rows.ts';
import { seededRandom } from '../setup/seeded-random.ts';
import { type Desk, launched, openDesk } from '../store/support.ts';
import { problemsOf } from './both-verifiers.ts';

const SEEDS = Number(process.env['Q_TEST_ROUNDS'] ?? 12);
const STEPS = 300;
const DAY_MS = 86_400_000;
const NAMES = ['a', 'b', 'c d'];
const TYPES: Readonly<Record<FireStatus, string>> = {
  started: 'schedule.fired',
  skipped: 'schedule.skipped',
  queued: 'schedule.queued',
  replacing: 'schedule.queued',
  refused: 'schedule.refused',
  failed: 'schedule.failed',
};
const END: RunEvent = {
  type: 'run.ended',
  status: 'completed',
  reason: 'completed',
  error: null,
};

/** What a supervisor asks of the store, in an order that a seed draws: schedules, versions, archives, age, clocks. */
function live(desk: Desk, random: () => number): void {
  let now = Date.parse('2026-11-29T00:00:00Z');
  let made = 0;
  const live: string[] = [];
  const ended: string[] = [];
  const archived: { rows: ArchivedRows; events: RawRow[] }[] = [];
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const say = (type: string, data: object, instance: string | null = null): AuditEntry => ({
    type,
    at: now,
    actor: { kind: 'person', id: 'p', uid: 1 },
    instance,
    data: { ...data },
  });
  const fireOf = (name: string, at: number, status: FireStatus, from: NewFire['from'], id: string | null) => {
    const reason = status === 'skipped' ? 'an earlier instance has not ended' : null;
    const row: FireRow = { workflow: name, at, status, instance: id, reason, decidedAt: now };
    const data = {
      workflow: name,
      fire: new Date(at).toISOString(),
      ...(reason === null ? {} : { reason }),
    };
    return { row, from, audit: say(TYPES[status], data, id) } satisfies NewFire;
  };
  const run = (fire: NewFire | null): void => {
    made += 1;
    const id = `run${made}`;
    const requests = launched(id).map(([name, args]): [OperationName, object] => [
      name,
      name === 'instance.create' && fire !== null
        ? {
            ...args,
            fire: { ...fire, row: { ...fire.row, instance: id }, audit: { ...fire.audit, instance: id } },
          }
        : args,
    ]);
    if (desk.batch(...requests).every((reply) => 'answer' in reply)) live.push(id);
  };
  const actions: readonly (() => void)[] = [
    () => {
      const name = pick(NAMES) ?? '';
      const version = Math.floor(random() * 3);
      const text = `d${version}`;
      const hash = sha256(text);
      const row = {
        name,
        version: `1.0.${version}`,
        definitionHash: hash,
        source: `/${name}.json`,
        registeredAt: now,
        starter: {
          workspace: '/ws',
          userHome: '/h',
          configHome: '/c',
          person: 'p',
          env: { A: String(made) },
        },
      };
      const schedule = random() < 0.8 ? 'has' : 'none';
      const audit = say('workflow.registered', { workflow: name, version: row.version, definition: hash });
      desk.one('registration.put', { row, documents: { [hash]: text }, schedule, audit });
    },
    () => {
      const name = pick(NAMES) ?? '';
      if (random() < 0.3)
        desk.one('registration.remove', { name, audit: say('workflow.unregistered', { workflow: name }) });
    },
    () => {
      const schedule = pick(desk.one('schedule.list', {}) as ScheduleRow[]);
      if (schedule === undefined) return;
      const at = schedule.decidedTo + 1000 * Math.floor(random() * 3);
      const status = pick(['skipped', 'queued', 'replacing', 'refused', 'failed'] as const) ?? 'skipped';
      desk.one('fire.decide', { fire: fireOf(schedule.workflow, at, status, 'plan', null) });
    },
    () => {
      const schedule = pick(desk.one('schedule.list', {}) as ScheduleRow[]);
      if (schedule === undefined) return;
      const isPlanned = random() < 0.7;
      const at = isPlanned ? schedule.decidedTo + 1000 : now;
      run(fireOf(schedule.workflow, at, 'started', isPlanned ? 'plan' : 'person', null));
    },
    () => {
      const waiting = pick(NAMES.flatMap((workflow) => desk.one('fire.waiting', { workflow }) as FireRow[]));
      if (waiting === undefined) return;
      if (random() < 0.5) run(fireOf(waiting.workflow, waiting.at, 'started', 'waiting', null));
      else
        desk.one('fire.decide', { fire: fireOf(waiting.workflow, waiting.at, 'skipped', 'waiting', null) });
    },
    () => {
      const schedule = pick(desk.one('schedule.list', {}) as ScheduleRow[]);
      if (schedule === undefined) return;
      const { workflow } = schedule;
      const to = schedule.decidedTo + 60_000;
      desk.one('fire.miss', { workflow, to, audit: say('schedule.missed', { workflow, fires: 3 }) });
    },
    () => {
      const workflow = pick(NAMES) ?? '';
      const args = { workflow, by: 'person p', at: now };
      if (random() < 0.5)
        desk.one('schedule.pause', { ...args, audit: say('schedule.paused', { workflow }) });
      else desk.one('schedule.resume', { ...args, audit: say('schedule.resumed', { workflow }) });
    },
    () => {
      if (random() < 0.7) return;
      now -= Math.floor(random() * 4) * 3_600_000;
      desk.one('schedule.set_clock', { at: now, audit: say('clock.jumped', { seconds: -1 }) });
    },
    () => desk.one('fire.prune', { before: now - DAY_MS, at: now }),
    () => {
      const id = pick(live);
      if (id === undefined) return;
      live.splice(live.indexOf(id), 1);
      const entries = [{ seq: 1, at: now, event: END }];
      const audits = [eventRecord(id, now, END, SUPERVISOR)];
      desk.one('journal.append', { id, incarnation: 1, entries, audits, approvals: null });
      ended.push(id);
    },
    () => {
      const id = pick(ended);
      const rows = id === undefined ? null : (desk.one('archive.read', { id }) as ArchivedRows | null);
      if (id === undefined || rows === null) return;
      const events = desk.one('archive.events', { id, after: 0 }) as RawRow[];
      ended.splice(ended.indexOf(id), 1);
      const audit = say('instance.archived', { sha256: 'x' }, id);
      desk.one('archive.remove', { id, incarnation: 1, lastSeq: events.length, audit });
      archived.push({ rows, events });
    },
    () => {
      const file = pick(archived);
      if (file === undefined || random() < 0.5) return;
      archived.splice(archived.indexOf(file), 1);
      const id = String(file.rows.instance['id']);
      desk.one('archive.put_back', { ...file, audit: say('instance.unarchived', {}, id) });
      ended.push(id);
    },
    () => {
      now += Math.floor(random() * 1.2 * DAY_MS);
      desk.one('audit.checkpoint', { at: now });
    },
    () => {
      const before = now - 2 * DAY_MS;
      const young = recordsSince(desk, before);
      while (desk.one('audit.prune', { before, at: now, actor: SUPERVISOR }) !== null);
      const left = new Set(recordsSince(desk, before));
      assert.deepEqual(
        young.filter((seq) => !left.has(seq)),
        [],
        'a younger record went',
      );
    },
  ];
  for (let step = 0; step < STEPS; step += 1) {
    now += Math.floor(random() * 120_000);
    pick(actions)?.();
  }
}

function recordsSince(desk: Desk, at: number): unknown[] {
  const database = new DatabaseSync(desk.file, { readOnly: true });
  try {
    return database
      .prepare('SELECT seq FROM audit WHERE at >= ?')
      .all(at)
      .map(({ seq }) => seq);
  } finally {
    database.close();
  }
}

for (let seed = 1; seed <= SEEDS; seed += 1)
  test(`both verifiers find nothing in the honest history ${seed}`, () => {
    const desk = openDesk();
    try {
      live(desk, seededRandom(seed));
      const { ours, alone } = problemsOf(desk.file);
      assert.deepEqual(ours, []);
      assert.deepEqual(alone, []);
    } finally {
      desk.close();
    }
  });
