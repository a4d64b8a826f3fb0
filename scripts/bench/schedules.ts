/** Ten thousand registered schedules: what they cost while none fires, how late those that do are, how soon lists are there. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { callerHere, inheritedEnvironment } from '../../src/client/caller.ts';
import type { Client } from '../../src/client/client.ts';
import { type Bench, openBench, step } from './bench-home.ts';
import { type Measure, median, type Result, timed } from './measure.ts';
import { rssMebibytes } from './running.ts';

const SCHEDULES = 10_000;
const AT_ONCE = 64;
/** V8 clears up after ten thousand registrations for so long; that is no part of being idle. */
const REST_MS = 40_000;
const FRESH_MS = 2_000;
const IDLE_MS = 10_000;
/** So many of them fire, so many a second. */
const FIRES = 200;
const FIRES_PER_S = 5;
/** From their registration to the first. */
const AHEAD_MS = 6_000;
const LOOK_MS = 4;
const LIST_ROUNDS = 3;

export const schedules: Measure = {
  name: 'schedules',
  // In a home of its own: ten thousand workflows would weigh on every measure after this one.
  run: async () => {
    const bench = await openBench();
    const client = await bench.connect();
    try {
      const { pid } = await client.call('supervisor.status', {});
      const without = await cpuPercent(pid, FRESH_MS);
      const before = rssMebibytes(pid);
      const registerMs = await timed(() => registerAll(bench, client));
      const cpu = await cpuPercent(pid, REST_MS);
      const after = rssMebibytes(pid);
      const late = await lateness(bench, client);
      return [
        {
          ...COMMON,
          name: `registering ${SCHEDULES} workflows with a schedule, each`,
          unit: 'ms',
          value: registerMs / SCHEDULES,
          bar: null,
          rounds: SCHEDULES,
          note: `${AT_ONCE} at once, ${(registerMs / 1000).toFixed(1)} s in all`,
        },
        {
          ...COMMON,
          name: `supervisor with ${SCHEDULES} schedules, idle, of a core`,
          unit: '%',
          value: cpu,
          floor: without,
          floorIs: 'the same without any',
          bar: { of: 'value', atMost: 0.5 },
          rounds: 1,
          note: `over ${IDLE_MS / 1000} s`,
        },
        {
          ...COMMON,
          name: `supervisor with ${SCHEDULES} schedules, RSS`,
          unit: 'MiB',
          value: after,
          floor: before,
          floorIs: 'before they were registered',
          bar: null,
          rounds: 1,
        },
        {
          ...COMMON,
          name: 'from the instant of a fire until its row is durable (p99)',
          unit: 'ms',
          value: late[Math.ceil(late.length * 0.99) - 1] ?? Number.NaN,
          bar: { of: 'value', atMost: 100 },
          rounds: late.length,
          note: `${FIRES_PER_S} a second at the same instant; median ${median(late).toFixed(0)} ms`,
        },
        await command(bench, 'schedule list', 'schedule', 'list'),
        await command(bench, 'schedule next', 'schedule', 'next', 'far-17'),
        await command(bench, 'list', 'list'),
      ];
    } finally {
      client.close();
      await bench.close();
    }
  },
};

const COMMON = { floor: null, floorIs: '' } as const;

async function registerAll(bench: Bench, client: Client): Promise<void> {
  const files = Array.from({ length: SCHEDULES - FIRES }, (_, index) => {
    const cron = `${index % 60} ${index % 24} ${1 + (index % 28)} 1 *`;
    return definition(bench, `far-${index}`, cron);
  });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, lane) => {
      for (let index = lane; index < files.length; index += AT_ONCE)
        await register(bench, client, files[index] ?? '');
    }),
  );
}

function definition(bench: Bench, name: string, cron: string): string {
  const folder = join(bench.workspace, 'scheduled');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  const triggers = [{ type: 'schedule', cron }];
  writeFileSync(file, JSON.stringify({ name, version: '1.0.0', triggers, steps: [step('only', 'say')] }));
  return file;
}

async function register(bench: Bench, client: Client, file: string): Promise<void> {
  const env = inheritedEnvironment();
  await client.call('workflow.register', { file, caller: callerHere(bench.workspace), env });
}

/** CPU time of a process over a while, in percent of a core. */
async function cpuPercent(pid: number, restMs: number): Promise<number> {
  await pause(restMs);
  const startedAt = performance.now();
  const before = cpuMs(pid);
  await pause(IDLE_MS);
  return (100 * (cpuMs(pid) - before)) / (performance.now() - startedAt);
}

/** Clock ticks are hundredths of a second on every Linux (sysconf(3), _SC_CLK_TCK). */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(') ') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** How late the fires are, sorted: by when another connection to the database sees them, which is after their commit. */
async function lateness(bench: Bench, client: Client): Promise<number[]> {
  const first = Math.ceil((Date.now() + AHEAD_MS) / 1000) * 1000;
  for (let index = 0; index < FIRES; index += 1) {
    const at = new Date(first + Math.floor(index / FIRES_PER_S) * 1000);
    const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} ${at.getUTCDate()} * *`;
    await register(bench, client, definition(bench, `near-${index}`, cron));
  }
  if (Date.now() > first) throw new Error('the registrations took longer than planned');
  const database = new DatabaseSync(bench.home.database, { readOnly: true });
  const fires = database.prepare('SELECT workflow, at FROM fires WHERE workflow >= ? AND workflow < ?');
  const seen = new Map<string, number>();
  const deadline = first + (1000 * FIRES) / FIRES_PER_S + 10_000;
  try {
    while (seen.size < FIRES) {
      if (Date.now() > deadline) throw new Error(`only ${seen.size} of ${FIRES} fired`);
      const rows = fires.all('near-', 'near.');
      const now = Date.now();
      for (const { workflow, at } of rows)
        if (!seen.has(String(workflow))) seen.set(String(workflow), now - Number(at));
      await pause(LOOK_MS);
    }
  } finally {
    database.close();
  }
  return [...seen.values()].sort((a, b) => a - b);
}

async function command(bench: Bench, name: string, ...words: string[]): Promise<Result> {
  const values: number[] = [];
  for (let round = 0; round < LIST_ROUNDS; round += 1) values.push(await timed(() => bench.cli(...words)));
  return {
    ...COMMON,
    name: `q workflow ${name} with ${SCHEDULES} schedules`,
    unit: 'ms',
    value: median(values),
    bar: { of: 'value', atMost: 1000 },
    rounds: LIST_ROUNDS,
  };
}
