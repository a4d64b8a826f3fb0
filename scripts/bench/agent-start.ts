/** From the start of an agent step to its first request at the model, against a bare Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startMockProvider } from '../../test/provider/server.ts';
import { type Measure, median, timed } from './measure.ts';
import { modelVariables } from './model-variables.ts';
import { spawnToEnd } from './spawn-to-end.ts';

const ROUNDS = 9;

export const agentStart: Measure = {
  name: 'agent-start',
  run: async (bench) => {
    const provider = await startMockProvider({ turns: [{ text: 'ok' }] });
    try {
      const folder = join(bench.workspace, '.amazonq', 'cli-agents');
      mkdirSync(folder, { recursive: true });
      const agent = { name: 'helper', prompt: 'You help.', tools: ['fs_read', 'execute_bash'] };
      writeFileSync(join(folder, 'helper.json'), JSON.stringify(agent));
      const file = bench.workflow('agent', [
        { id: 'a', type: 'agent', agent: 'helper', inputs: { task: 'x' }, async: false },
      ]);
      const starts: number[] = [];
      const floors: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        floors.push(await timed(() => spawnToEnd(process.execPath, ['-e', '0'])));
        const asked = provider.requests.length;
        await bench.cliWith(modelVariables(provider.url), 'run', file, '--json');
        const at = provider.requests[asked]?.at;
        if (at === undefined) throw new Error('the agent has asked no model');
        starts.push(at - lastStart(bench.home.database));
      }
      return [
        {
          name: 'agent step, from its start to its first request',
          unit: 'ms',
          value: median(starts),
          floor: median(floors),
          floorIs: 'bare `node -e 0`',
          bar: { of: 'ratio', atMost: 3.5 },
          rounds: ROUNDS,
        },
      ];
    } finally {
      await provider.close();
    }
  },
};

/** When the newest step began, UTC ms, as its journal says. */
function lastStart(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database
      .prepare('SELECT at FROM events WHERE body LIKE \'{"type":"step.started"%\' ORDER BY at DESC LIMIT 1')
      .get();
    return Number(row?.['at']);
  } finally {
    database.close();
  }
}
