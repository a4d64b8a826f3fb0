/** What a tool call of an agent waits for: its intent and the decision about it, committed, over a socket. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SupervisorMessage } from '../../src/protocol/instance-link.ts';
import { openJsonLines } from '../../src/protocol/json-lines.ts';
import { type Measure, median, timed } from './measure.ts';

const ROUNDS = 400;
const WARM_UP = 50;
const COMMAND = 'git status --short && git diff --stat';

export const permit: Measure = {
  name: 'permit',
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'q-bench-permit-'));
    mkdirSync(join(folder, '.config', 'q-workflow', 'policies'), { recursive: true, mode: 0o700 });
    const policy = {
      apiVersion: 'policy/v1',
      layer: 'user',
      default: 'deny',
      rules: [{ effect: 'allow', tool: 'execute_bash', command: 'git' }],
    };
    writeFileSync(join(folder, '.config', 'q-workflow', 'policies', 'p.json'), JSON.stringify(policy), {
      mode: 0o600,
    });
    const host = spawn(
      process.execPath,
      ['--no-warnings', join(import.meta.dirname, 'permit-host.ts'), join(folder, 'home')],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOME: folder } },
    );
    try {
      await once(host.stdout, 'data');
      const socket = createConnection(join(folder, 'home', 'permit.sock'));
      let answered: (message: SupervisorMessage | { readonly type: 'floor' }) => void = () => undefined;
      const lines = openJsonLines(socket, {
        message: (raw) => answered(raw as SupervisorMessage | { readonly type: 'floor' }),
        closed: () => undefined,
      });
      const next = (type: 'permit' | 'floor'): Promise<void> =>
        new Promise((resolve, reject) => {
          answered = (message) => {
            if (message.type !== type) return;
            if (message.type === 'permit' && message.permit.decision !== 'allow')
              reject(new Error(`the permit of the measure was refused: ${message.permit.reason}`));
            else resolve();
          };
        });
      const ask = (seq: number): Promise<void> => {
        const call = `c1-${seq}`;
        const event = {
          type: 'agent.tool_called',
          path: 'a',
          iteration: 1,
          call,
          tool: 'execute_bash',
          args: { command: COMMAND },
        };
        const request = {
          kind: 'tool',
          path: 'a',
          attempt: 1,
          subject: 'helper',
          agentName: 'helper',
          tier: 'agent',
          agent: { iteration: 1, call, tool: 'execute_bash' },
        };
        const answer = next('permit');
        lines.send(
          { type: 'events', entries: [{ seq, at: Date.now(), event }] },
          { type: 'permit', id: seq, afterSeq: seq, request },
        );
        return answer;
      };
      const costs: number[] = [];
      const floors: number[] = [];
      for (let round = 1; round <= ROUNDS + WARM_UP; round += 1) {
        const floor = await timed(async () => {
          const answer = next('floor');
          lines.send({ type: 'floor' });
          await answer;
        });
        const cost = await timed(() => ask(round));
        if (round <= WARM_UP) continue;
        floors.push(floor);
        costs.push(cost);
      }
      lines.end();
      await once(host, 'exit');
      return [
        {
          name: 'permit of a shell command, with its intent, durable',
          unit: 'ms',
          value: median(costs),
          floor: median(floors),
          floorIs: 'one socket round trip and one durable commit',
          bar: { of: 'ratio', atMost: 1.3 },
          rounds: ROUNDS,
        },
      ];
    } finally {
      host.kill();
      rmSync(folder, { recursive: true });
    }
  },
};
