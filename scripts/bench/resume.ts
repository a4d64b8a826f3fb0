/** From the death of an instance's process to its next step, in a new process. */
import { step } from './bench-home.ts';
import { type Measure, median, timed } from './measure.ts';
import { hostPid, stepRunning, untilRunning } from './running.ts';

const ROUNDS = 5;

export const resume: Measure = {
  name: 'resume',
  run: async (bench) => {
    const file = bench.workflow('sleeper', [step('before', 'say'), step('wait', 'sleep')]);
    const client = await bench.connect();
    try {
      const values: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const id = await bench.submit(client, file);
        await untilRunning(client, id);
        const pid = hostPid(bench.home, id);
        const again = stepRunning(client, id);
        values.push(
          await timed(() => {
            process.kill(pid, 'SIGKILL');
            return again;
          }),
        );
        await bench.cli('stop', id, '--force');
      }
      return [
        {
          name: 'kill -9 of an instance to its next step, committed',
          unit: 'ms',
          value: median(values),
          floor: null,
          floorIs: '',
          bar: { of: 'value', atMost: 1000 },
          rounds: ROUNDS,
        },
      ];
    } finally {
      client.close();
    }
  },
};
