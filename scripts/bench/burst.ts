/** A hundred instances at once against a hundred bare Nodes that start the same commands. */
import { ends, sequence } from './bench-home.ts';
import { type Measure, median, timed } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const INSTANCES = 100;
const FLOOR_AT_ONCE = 4;
const ROUNDS = 3;

const THREE_COMMANDS = `
const { spawn } = require('node:child_process');
const next = (left) => left > 0 && spawn('sh', ['-c', 'true'], { stdio: 'ignore' }).once('exit', () => next(left - 1));
next(3);
`;

async function bareNodes(): Promise<void> {
  let left = INSTANCES;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await spawnToEnd(process.execPath, ['-e', THREE_COMMANDS]);
    }
  };
  await Promise.all(Array.from({ length: FLOOR_AT_ONCE }, lane));
}

export const burst: Measure = {
  name: 'burst',
  run: async (bench) => {
    const file = bench.workflow('three-commands', sequence(3, 'sh-true'));
    const client = await bench.connect();
    try {
      await bench.runToEnd(client, file);
      const values: number[] = [];
      const floors: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        floors.push(await timed(bareNodes));
        values.push(
          await timed(async () => {
            const ids = await Promise.all(
              Array.from({ length: INSTANCES }, () => bench.submit(client, file)),
            );
            await ends(client, ids);
          }),
        );
      }
      return [
        {
          name: `${INSTANCES} instances of 3 shell steps, at once`,
          unit: 'ms',
          value: median(values),
          floor: median(floors),
          floorIs: `${INSTANCES} nodes that spawn the same, ${FLOOR_AT_ONCE} at once`,
          bar: { of: 'ratio', atMost: 2 },
          rounds: ROUNDS,
        },
      ];
    } finally {
      client.close();
    }
  },
};
