/** The supervisor as a service: how soon it takes over what runs, what many schedules cost it, and how late they fire. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { callerHere, inheritedEnvironment } from '../../src/client/caller.ts';
import type { Client } from '../../src/client/client.ts';
import { DAEMON_ENVIRONMENT } from '../../src/protocol/daemon-command.ts';
import { packageRoot } from '../../src/protocol/install.ts';
import { type Bench, ends, sequence, step } from './bench-home.ts';
import { type Measure, median, timed } from './measure.ts';
import { untilRunning } from './running.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const ADOPTED = 100;
const ADOPTIONS = 3;
const ADOPTION_WAIT_MS = 20_000;

export const adoption: Measure = {
  name: 'adoption',
  run: async (bench) => {
    const file = bench.workflow('long-sleeper', [step('wait', 'sleep')], { max_memory_mb: 128 });
    let client = await bench.connect();
    try {
      const ids = await Promise.all(Array.from({ length: ADOPTED }, () => bench.submit(client, file)));
      for (const id of ids) await untilRunning(client, id);
      const values: number[] = [];
      const floors: number[] = [];
      for (let round = 0; round < ADOPTIONS; round += 1) {
        const { pid } = await client.call('supervisor.status', {});
        client.close();
        process.kill(pid, 'SIGKILL');
        await until('the supervisor is gone', () => connectionsTo(bench) === 0);
        values.push(
          await timed(async () => {
            startDaemon(bench);
            await until(`${ADOPTED} are back`, () => connectionsTo(bench) >= ADOPTED);
          }),
        );
        floors.push(await timed(() => spawnToEnd(process.execPath, ['-e', '0'])));
        client = await bench.connect();
      }
      for (const id of ids) await stop(bench, client, id);
      return [
        {
          name: `adoption of ${ADOPTED} instances, from the start of the process until all are connected`,
          unit: 'ms',
          value: median(values),
          floor: median(floors),
          floorIs: 'bare node -e 0',
          bar: { of: 'value', atMost: 500 },
          rounds: ADOPTIONS,
        },
      ];
    } finally {
      client.close();
    }
  },
};

/** As commands start it, but at once and from here: their own start is no part of this. */
function startDaemon(bench: Bench): void {
  const flags = ['--no-warnings', '--max-semi-space-size=1', '--v8-pool-size=1'];
  const main = join(packageRoot(), 'dist', 'supervisor', 'main.cjs');
  const child = spawn(process.execPath, [...flags, main], {
    cwd: '/',
    env: {
      ...process.env,
      ...DAEMON_ENVIRONMENT,
      Q_WORKFLOW_HOME: bench.home.folder,
      XDG_DATA_HOME: join(dirname(bench.home.folder), 'data'),
      Q_WORKFLOW_SYSLOG: 'off',
    },
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
}

/** Connections of instances that the supervisor has taken, by the kernel's own list: state 03 is connected. */
function connectionsTo(bench: Bench): number {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(` ${bench.home.instanceSocket}`) && / 03 +\d+ /.test(line))
    .length;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + ADOPTION_WAIT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`it never came to it: ${what}`);
    await pause(5);
  }
}

async function stop(bench: Bench, client: Client, id: string): Promise<void> {
  await client.call('instance.stop', { id, isForced: true, caller: callerHere(bench.workspace) });
}

const SCHEDULES = 10_000;
/** Of these so many fire at each minute, the others on New Year's Day. */
const EACH_MINUTE = 100;
const IDLE_MS = 30_000;
const MINUTE_MS = 60_000;

export const schedules: Measure = {
  name: 'schedules',
  run: async (bench) => {
    const client = await bench.connect();
    try {
      const register = async (name: string, cron: string): Promise<void> => {
        const triggers = [{ type: 'schedule', cron, timezone: 'UTC' }];
        const file = join(bench.workspace, `${name}.json`);
        writeFileSync(file, JSON.stringify({ name, version: '1.0.0', triggers, steps: sequence(1, 'say') }));
        const env = inheritedEnvironment();
        await client.call('workflow.register', { file, caller: callerHere(bench.workspace), env });
      };
      for (let index = 0; index < SCHEDULES - EACH_MINUTE; index += 1)
        await register(`yearly-${index}`, '0 0 1 1 *');
      const { pid } = await client.call('supervisor.status', {});
      // What the registrations left to do is done by then.
      await pause(10_000);
      const before = cpuMs(pid);
      await pause(IDLE_MS);
      const idle = ((cpuMs(pid) - before) * 100) / IDLE_MS;
      for (let index = 0; index < EACH_MINUTE; index += 1) await register(`minutely-${index}`, '* * * * *');
      await pause(MINUTE_MS - (Date.now() % MINUTE_MS) + 5_000);
      const lateness = latenessOfFires(bench);
      if (lateness.length < EACH_MINUTE) throw new Error(`only ${lateness.length} of ${EACH_MINUTE} fired`);
      return [
        {
          name: `${SCHEDULES} schedules: CPU while none is due, of a core`,
          unit: '%',
          value: idle,
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 0.5 },
          rounds: 1,
          note: `over ${IDLE_MS / 1000} s`,
        },
        {
          name: `${EACH_MINUTE} of them at the same minute: from the instant to the committed decision (p99)`,
          unit: 'ms',
          value: lateness.toSorted((a, b) => a - b)[Math.ceil(lateness.length * 0.99) - 1] ?? 0,
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 100 },
          rounds: lateness.length,
        },
      ];
    } finally {
      client.close();
    }
  },
};

/** User and system time of a process, ms; the kernel counts hundredths of a second (proc(5), stat). */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function latenessOfFires(bench: Bench): number[] {
  const database = new DatabaseSync(bench.home.database, { readOnly: true });
  try {
    return database
      .prepare("SELECT decided_at - at AS late FROM fires WHERE workflow LIKE 'minutely-%'")
      .all()
      .map((row) => Number(row['late']));
  } finally {
    database.close();
  }
}

const STARTS = 100;
const STARTS_PER_S = 10;

export const loopDelay: Measure = {
  name: 'loop-delay',
  run: async (bench) => {
    const file = bench.workflow('one-word', sequence(1, 'say'));
    const client = await bench.connect();
    try {
      await bench.runToEnd(client, file);
      const ids: string[] = [];
      for (let index = 0; index < STARTS; index += 1) {
        ids.push(await bench.submit(client, file));
        await pause(1000 / STARTS_PER_S);
      }
      await ends(client, ids);
      const { loop_delay: delay } = await client.call('supervisor.status', {});
      return [
        {
          name: `event loop of the supervisor at ${STARTS_PER_S} starts a second: delay (p99)`,
          unit: 'ms',
          value: delay.p99_ms,
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 20 },
          rounds: STARTS,
          note: 'as supervisor status shows it',
        },
      ];
    } finally {
      client.close();
    }
  },
};
