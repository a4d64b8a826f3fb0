/** The supervisor as a service: how soon it takes over what runs, and how late its timers are while it starts much. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { callerHere } from '../../src/client/caller.ts';
import type { Client } from '../../src/client/client.ts';
import { DAEMON_ENVIRONMENT, DAEMON_FLAGS } from '../../src/protocol/daemon-command.ts';
import { packageRoot } from '../../src/protocol/install.ts';
import { type Bench, ends, sequence, step } from './bench-home.ts';
import { type Measure, median, timed } from './measure.ts';
import { untilRunning } from './running.ts';
import { until } from './scopes.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const ADOPTED = 100;
const ADOPTIONS = 3;

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
        const from = Date.now();
        startDaemon(bench);
        await until(`${ADOPTED} are back`, () => adoptedAt(bench, from) !== null);
        values.push((adoptedAt(bench, from) ?? Number.NaN) - from);
        floors.push(await timed(() => spawnToEnd(process.execPath, ['-e', '0'])));
        client = await bench.connect();
      }
      for (const id of ids) await stop(bench, client, id);
      return [
        {
          name: `adoption of ${ADOPTED} instances, from the start of the process until all are heard`,
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
  const main = join(packageRoot(), 'dist', 'supervisor', 'main.cjs');
  const child = spawn(process.execPath, [...DAEMON_FLAGS, main], {
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

/**
 * When a supervisor started after `from` had heard all that ran on, as its log tells (UTC ms); null before. The kernel's
 * list of connections would tell less: they wait in it until the journals are read.
 */
function adoptedAt(bench: Bench, from: number): number | null {
  const lines = readFileSync(join(bench.home.logFolder, 'supervisor.log'), 'utf8').trimEnd().split('\n');
  for (const line of lines.toReversed()) {
    const { message, instances, timestamp } = JSON.parse(line) as Record<string, unknown>;
    const at = Date.parse(String(timestamp));
    if (at < from) return null;
    if (message === 'what ran on without a supervisor is adopted' && instances === ADOPTED) return at;
  }
  return null;
}

/** Connections of instances, by the kernel's own list: state 03 is connected. */
function connectionsTo(bench: Bench): number {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(` ${bench.home.instanceSocket}`) && / 03 +\d+ /.test(line))
    .length;
}

async function stop(bench: Bench, client: Client, id: string): Promise<void> {
  await client.call('instance.stop', { id, isForced: true, caller: callerHere(bench.workspace) });
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
