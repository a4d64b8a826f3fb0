/** What a person waits for at the prompt. */
import { sequence } from './bench-home.ts';
import { type Measure, median, timed } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const RUN_ROUNDS = 7;
const LIST_ROUNDS = 15;

const bareNode = (): Promise<void> => spawnToEnd(process.execPath, ['-e', '0']);

export const runCommand: Measure = {
  name: 'run',
  run: async (bench) => {
    const file = bench.workflow('ten-steps', sequence(10, 'say'));
    await bench.cli('run', file);
    const values: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < RUN_ROUNDS; round += 1) {
      floors.push(await timed(bareNode));
      values.push(await timed(() => bench.cli('run', file)));
    }
    return [
      {
        name: 'q workflow run, 10 steps, supervisor up',
        unit: 'ms',
        value: median(values),
        floor: median(floors),
        floorIs: 'node -e 0',
        bar: { of: 'value', atMost: 400 },
        rounds: RUN_ROUNDS,
      },
    ];
  },
};

/** A key press in a shell. */
export const completeCommand: Measure = {
  name: 'complete',
  run: async (bench) => {
    await bench.cli('list');
    const values: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < LIST_ROUNDS; round += 1) {
      floors.push(await timed(bareNode));
      values.push(await timed(() => bench.cli('__complete', 'bash', '--', 'status', '')));
    }
    return [
      {
        name: 'Tab after q workflow status',
        unit: 'ms',
        value: median(values),
        floor: median(floors),
        floorIs: 'node -e 0',
        bar: { of: 'ratio', atMost: 2.5 },
        rounds: LIST_ROUNDS,
      },
    ];
  },
};

export const listCommand: Measure = {
  name: 'list',
  run: async (bench) => {
    await bench.cli('list');
    const values: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < LIST_ROUNDS; round += 1) {
      floors.push(await timed(bareNode));
      values.push(await timed(() => bench.cli('list')));
    }
    return [
      {
        name: 'q workflow list',
        unit: 'ms',
        value: median(values),
        floor: median(floors),
        floorIs: 'node -e 0',
        bar: { of: 'ratio', atMost: 2.5 },
        rounds: LIST_ROUNDS,
      },
    ];
  },
};
