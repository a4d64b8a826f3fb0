/** The cost of one step within an instance: with a process, and without. */
import type { Bench } from './bench-home.ts';
import { sequence } from './bench-home.ts';
import { type Measure, median, type Result, timed } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const INLINE_STEPS = 1000;
const INLINE_ROUNDS = 5;
const COMMAND_STEPS = 40;
const COMMAND_ROUNDS = 3;

/** A run of n + 1 steps less a run of one, from submission to its durable end, by n. */
async function stepCost(
  bench: Bench,
  skill: string,
  count: number,
  rounds: number,
  between: () => Promise<void>,
) {
  const one = bench.workflow(`one-${skill}`, sequence(1, skill));
  const many = bench.workflow(`many-${skill}`, sequence(count + 1, skill));
  const client = await bench.connect();
  try {
    await bench.runToEnd(client, one);
    const costs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const short = await timed(() => bench.runToEnd(client, one));
      await between();
      costs.push(((await timed(() => bench.runToEnd(client, many))) - short) / count);
    }
    return median(costs);
  } finally {
    client.close();
  }
}

export const inlineStep: Measure = {
  name: 'inline-step',
  run: async (bench) => {
    const value = await stepCost(bench, 'say', INLINE_STEPS, INLINE_ROUNDS, () => Promise.resolve());
    return [
      {
        name: 'step without a process (prompt_inline), durable',
        unit: 'ms',
        value,
        floor: null,
        floorIs: '',
        bar: { of: 'value', atMost: 1.2 },
        rounds: INLINE_ROUNDS,
        note: `of ${INLINE_STEPS} sequential steps`,
      },
    ];
  },
};

async function commandStep(
  bench: Bench,
  skill: string,
  file: string,
  args: readonly string[],
): Promise<Omit<Result, 'bar'>> {
  const floors: number[] = [];
  const value = await stepCost(bench, skill, COMMAND_STEPS, COMMAND_ROUNDS, async () => {
    for (let index = 0; index < COMMAND_STEPS; index += 1)
      floors.push(await timed(() => spawnToEnd(file, args)));
  });
  return {
    name: `code_inline step: ${skill === 'true' ? 'true' : 'node -e 0'}`,
    unit: 'ms',
    value,
    floor: median(floors),
    floorIs: 'bare spawn of it',
    rounds: COMMAND_ROUNDS,
    note: `of ${COMMAND_STEPS} sequential steps`,
  };
}

export const commandSteps: Measure = {
  name: 'command-step',
  run: async (bench) => [
    {
      ...(await commandStep(bench, 'node-nothing', process.execPath, ['-e', '0'])),
      bar: { of: 'ratio', atMost: 1.5 },
    },
    { ...(await commandStep(bench, 'true', 'true', [])), bar: null },
  ],
};
