/** What an idle supervisor and an idle instance hold. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, sequence, step } from './bench-home.ts';
import { type Measure, median } from './measure.ts';
import { hostPid, pssMebibytes, rssMebibytes, untilRunning } from './running.ts';

const RUNS_BEFORE = 10;
const IDLE_MS = 2000;
const ALIKE_INSTANCES = 10;

/** An empty Node that waits, measured as the thing beside it is. */
async function emptyNode(measure: (pid: number) => number): Promise<number> {
  const child = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => {}, 1e6)"], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child.stdout, 'data');
    await pause(IDLE_MS);
    return measure(child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
  }
}

export const supervisorMemory: Measure = {
  name: 'supervisor-memory',
  run: async (bench) => {
    const file = bench.workflow('ten-steps', sequence(10, 'say'));
    const client = await bench.connect();
    try {
      for (let run = 0; run < RUNS_BEFORE; run += 1) await bench.runToEnd(client, file);
      const { pid } = await client.call('supervisor.status', {});
      await pause(IDLE_MS);
      return [
        {
          name: 'idle supervisor, RSS',
          unit: 'MiB',
          value: rssMebibytes(pid),
          floor: await emptyNode(rssMebibytes),
          floorIs: 'empty node',
          bar: { of: 'value', atMost: 95 },
          rounds: 1,
          note: `after at least ${RUNS_BEFORE} runs and ${IDLE_MS / 1000} s of rest`,
        },
      ];
    } finally {
      client.close();
    }
  },
};

/** Shared pages count by their share, so one process alone and one of ten are two figures. */
async function instancesAtOnce(bench: Bench, count: number): Promise<{ value: number; floor: number }> {
  const file = bench.workflow('sleeper', [step('wait', 'sleep')]);
  const client = await bench.connect();
  const ids: string[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const id = await bench.submit(client, file);
      ids.push(id);
      await untilRunning(client, id);
    }
    const value = median(ids.map((id) => pssMebibytes(hostPid(bench.home, id))));
    return { value, floor: await emptyNode(pssMebibytes) };
  } finally {
    for (const id of ids) await bench.cli('stop', id, '--force');
    client.close();
  }
}

export const instanceMemory: Measure = {
  name: 'instance-memory',
  run: async (bench) => {
    const alone = await instancesAtOnce(bench, 1);
    const together = await instancesAtOnce(bench, ALIKE_INSTANCES);
    const shared = { unit: 'MiB', floorIs: 'an empty node beside it', rounds: 1 } as const;
    return [
      { ...shared, ...alone, name: 'idle instance, PSS of its process', bar: { of: 'value', atMost: 20 } },
      { ...shared, ...together, name: `the same, one of ${ALIKE_INSTANCES}`, bar: null },
    ];
  },
};
