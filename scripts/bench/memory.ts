/** What an idle supervisor and an idle instance hold. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sequence, step } from './bench-home.ts';
import { type Measure, median } from './measure.ts';
import { hostPid, pssMebibytes, rssMebibytes, stepRunning } from './running.ts';

const RUNS_BEFORE = 10;
const IDLE_MS = 2000;
const IDLE_INSTANCES = 3;

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

export const instanceMemory: Measure = {
  name: 'instance-memory',
  run: async (bench) => {
    const file = bench.workflow('sleeper', [step('wait', 'sleep')]);
    const client = await bench.connect();
    try {
      const values: number[] = [];
      const floors: number[] = [];
      for (let round = 0; round < IDLE_INSTANCES; round += 1) {
        const id = await bench.submit(client, file);
        const running = stepRunning(client, id);
        const now = await client.call('instance.watch', { id });
        if (!now.steps.some(({ status }) => status === 'running')) await running;
        floors.push(await emptyNode(pssMebibytes));
        values.push(pssMebibytes(hostPid(bench.home, id)));
        await bench.cli('stop', id, '--force');
      }
      return [
        {
          name: 'idle instance, PSS of its process',
          unit: 'MiB',
          value: median(values),
          floor: median(floors),
          floorIs: 'empty node',
          bar: { of: 'value', atMost: 20 },
          rounds: IDLE_INSTANCES,
        },
      ];
    } finally {
      client.close();
    }
  },
};
