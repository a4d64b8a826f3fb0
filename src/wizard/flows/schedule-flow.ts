import type { TriggerFile } from '../../definition/file.ts';
import { loadWorkflow } from '../../definition/load.ts';
import { planFires } from '../../schedule/plan.ts';
import { type Answers, NO_ANSWERS } from '../answers/answers.ts';
import { definitionOf } from '../definition.ts';
import { ask, type Choice, choose, confirm, type Flow } from '../question.ts';
import { faultOf, type World } from '../world.ts';

type ScheduleFile = Extract<TriggerFile, { type: 'schedule' }>;

/** How often, in words, and what it is at an hour and minute. */
const PRESETS: Readonly<
  Record<string, { readonly name: string; readonly cron: (hour: number, minute: number) => string }>
> = {
  hour: { name: 'every hour', cron: (_, minute) => `${minute} * * * *` },
  day: { name: 'every day', cron: (hour, minute) => `${minute} ${hour} * * *` },
  weekday: { name: 'Monday to Friday', cron: (hour, minute) => `${minute} ${hour} * * 1-5` },
  week: { name: 'every Monday', cron: (hour, minute) => `${minute} ${hour} * * 1` },
  month: { name: 'on the first of every month', cron: (hour, minute) => `${minute} ${hour} 1 * *` },
};
const SHOWN_FIRES = 5;

/** `every day`, `every month`, … as a cron expression at nine (an hour: at its beginning); null for other texts. */
export function presetCron(text: string): string | null {
  const [, word = ''] = /^every (\w+)$/.exec(text.trim().toLowerCase()) ?? [];
  return Object.hasOwn(PRESETS, word) ? (PRESETS[word]?.cron(9, 0) ?? null) : null;
}

/** Asks when the workflow runs, and answers its triggers. */
export function* askSchedule(id: string, answers: Answers, world: World): Flow<Answers['triggers']> {
  const others = answers.triggers.filter(({ type }) => type !== 'schedule');
  const current = answers.triggers.filter((trigger) => trigger.type === 'schedule');
  for (let round = 0; ; round += 1) {
    const chosen = yield* choose(`${id}/${round}`, 'When does it run?', scheduleChoices(current));
    if (chosen === 'keep') return answers.triggers;
    if (chosen === 'manual') return others;
    const cron =
      chosen === 'cron'
        ? yield* askCron(`${id}/${round}`, current[0]?.cron)
        : yield* askPreset(`${id}/${round}`, chosen);
    const timezone = yield* ask(`${id}/${round}/timezone`, 'Time zone', {
      standard: current[0]?.timezone ?? world.timezone,
      check: (reply) => scheduleFault({ type: 'schedule', cron, timezone: reply.trim() }),
    });
    const timed: ScheduleFile = { ...current[0], type: 'schedule', cron, timezone };
    const trigger = yield* askMissed(`${id}/${round}`, timed);
    const isMeant = yield* confirm(`${id}/${round}/right`, 'Is that what you mean?', 'yes', {
      note: () => firesText(trigger, world.now()),
    });
    // More than one schedule: the first is what is asked about.
    if (isMeant) return [...others, trigger, ...current.slice(1)];
  }
}

const OVERLAPS: readonly Choice[] = [
  { value: 'skip', name: 'it is left out', description: 'The run goes on, and the next time counts.' },
  { value: 'queue', name: 'it waits for that run to end' },
  { value: 'cancel_previous', name: 'that run is stopped, and a new one begins' },
  { value: 'allow', name: 'both run' },
];

const CATCH_UPS: readonly Choice[] = [
  { value: 'last', name: 'the last one is made up for', description: 'If it was less than an hour ago.' },
  { value: 'none', name: 'they are left out' },
  { value: 'all', name: 'all are made up for', description: 'Those of the last hour, one after another.' },
];

/** What happens to a time that cannot be kept. The usual is not written down. */
function* askMissed(id: string, trigger: ScheduleFile): Flow<ScheduleFile> {
  const { overlap: before, catch_up: caughtUp, ...rest } = trigger;
  const overlap = (yield* choose(
    `${id}/overlap`,
    'When its time comes and a run of it still goes on:',
    OVERLAPS,
    {
      standard: before ?? 'skip',
    },
  )) as NonNullable<ScheduleFile['overlap']>;
  const catchUp = (yield* choose(
    `${id}/catch-up`,
    'Times that were missed while the machine was off:',
    CATCH_UPS,
    {
      standard: caughtUp ?? 'last',
    },
  )) as NonNullable<ScheduleFile['catch_up']>;
  return {
    ...rest,
    ...(before === undefined && overlap === 'skip' ? {} : { overlap }),
    ...(caughtUp === undefined && catchUp === 'last' ? {} : { catch_up: catchUp }),
  };
}

function scheduleChoices(current: readonly ScheduleFile[]): Choice[] {
  return [
    ...(current.length === 0
      ? []
      : [{ value: 'keep', name: `as it is: ${current.map(({ cron }) => cron).join('; ')}` }]),
    { value: 'manual', name: 'only when someone starts it' },
    ...Object.entries(PRESETS).map(([value, { name }]) => ({ value, name })),
    { value: 'cron', name: 'by a cron expression' },
  ];
}

function* askPreset(id: string, preset: string): Flow<string> {
  const cron = PRESETS[preset]?.cron ?? (() => '');
  if (preset === 'hour') {
    const minute = yield* ask(`${id}/minute`, 'At which minute?', {
      standard: '0',
      check: (reply) => (/^[0-5]?\d$/.test(reply.trim()) ? null : 'It takes a minute, 0 to 59.'),
    });
    return cron(0, Number(minute));
  }
  const time = yield* ask(`${id}/time`, 'At what time?', {
    standard: '09:00',
    check: (reply) => (timeOf(reply) === null ? 'It takes a time such as 09:00 or 17:30.' : null),
  });
  const { hour, minute } = timeOf(time) ?? { hour: 9, minute: 0 };
  return cron(hour, minute);
}

function* askCron(id: string, current: string | undefined): Flow<string> {
  return yield* ask(`${id}/cron`, 'Cron expression: minute hour day month weekday', {
    standard: current ?? '0 9 * * 1-5',
    check: (reply) => scheduleFault({ type: 'schedule', cron: reply.trim() }),
  });
}

function timeOf(text: string): { hour: number; minute: number } | null {
  const [, hour, minute = '0'] = /^([01]?\d|2[0-3])(?:[:.]([0-5]\d))?$/.exec(text.trim()) ?? [];
  return hour === undefined ? null : { hour: Number(hour), minute: Number(minute) };
}

function scheduleFault(trigger: ScheduleFile): Promise<string | null> {
  return faultOf(scheduled(trigger));
}

/** A workflow that has nothing but this schedule. */
function scheduled(trigger: ScheduleFile): Answers {
  return { ...NO_ANSWERS, name: 'x', triggers: [trigger], steps: [{ id: 'x', type: 'skill', skill: 'x' }] };
}

/** The next fires, on the clock of their zone. */
export async function firesText(trigger: ScheduleFile, now: number): Promise<string> {
  const { workflow } = await loadWorkflow(JSON.stringify(definitionOf(scheduled(trigger))));
  const zone = trigger.timezone ?? 'UTC';
  if (workflow === null) return '';
  const fires = [...(await planFires(workflow, now)).take(SHOWN_FIRES)];
  if (fires.length === 0) return `  ${trigger.cron} never fires.`;
  const lines = fires.map(({ local }) => {
    const at = new Date(local);
    const day = at.toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
    return `    ${day} ${at.toISOString().slice(0, 16).replace('T', ' ')} ${zone}`;
  });
  return [
    `  ${trigger.cron}: the next ${fires.length === SHOWN_FIRES ? 'five times' : 'times'}`,
    ...lines,
  ].join('\n');
}
