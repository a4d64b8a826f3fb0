/** Agents on a bench: an agent file, a mock provider, and the variables that lead there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentEvent } from '../../src/engine/agent-events.ts';
import { isAgentEvent } from '../../src/engine/agent-events.ts';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type MockProvider, type Script, startMockProvider } from '../provider/server.ts';
import { type Bench, type BenchOptions, eventually, openBench } from './bench-home.ts';

export interface AgentBench {
  readonly bench: Bench;
  readonly provider: MockProvider;
  readonly env: NodeJS.ProcessEnv;
  agent(name: string, file: object): void;
  /** A workflow of one agent step `a` with the agent `helper`. */
  workflow(name: string, step?: object, more?: object): void;
  run(
    name: string,
    ...args: readonly string[]
  ): Promise<{ code: number | null; run: StatusDocument; stderr: string }>;
  /** Starts it in the background and answers its id. */
  start(name: string, ...args: readonly string[]): Promise<string>;
  agentEvents(id: string): AgentEvent[];
  close(): Promise<void>;
}

export const API_KEY = 'sk-test-0123456789';

export async function openAgentBench(script: Script, options: BenchOptions = {}): Promise<AgentBench> {
  const provider = await startMockProvider(script);
  const bench = openBench(options);
  const env = {
    Q_WORKFLOW_MODEL: 'mock-model',
    Q_WORKFLOW_MODEL_BASE_URL: `${provider.url}/v1`,
    Q_WORKFLOW_API_KEY: API_KEY,
  };
  const folder = join(bench.workspace, '.amazonq', 'cli-agents');
  mkdirSync(folder, { recursive: true });
  allowEverything(bench);
  const agent: AgentBench['agent'] = (name, file) =>
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify({ name, prompt: 'You are a helper.', ...file }),
    );
  agent('helper', { tools: ['*'] });
  return {
    bench,
    provider,
    env,
    agent,
    workflow: (name, step = {}, more = {}) => {
      bench.workflow(name, {
        steps: [
          { id: 'a', type: 'agent', agent: 'helper', inputs: { task: 'Do it.' }, async: false, ...step },
        ],
        ...more,
      });
    },
    run: async (name, ...args) => {
      const { status, stdout, stderr } = await bench.qWith(env, 'run', name, ...args, '--json');
      try {
        return { code: status, run: JSON.parse(stdout) as StatusDocument, stderr };
      } catch (error) {
        throw new Error(`run ${name} printed no JSON: ${stdout} ${stderr}`, { cause: error });
      }
    },
    start: async (name, ...args) => {
      const { stdout, stderr } = await bench.qWith(env, 'run', name, '--detach', '--json', ...args);
      if (stdout === '') throw new Error(`run ${name} printed nothing: ${stderr}`);
      return (JSON.parse(stdout) as { id: string }).id;
    },
    agentEvents: (id) => bench.journal(id).flatMap(({ event }) => (isAgentEvent(event) ? [event] : [])),
    close: async () => {
      await bench.close();
      await provider.close();
    },
  };
}

/** Agents on a bench may do what they like, unless a test says otherwise: policies have tests of their own. */
export function allowEverything(bench: Bench): void {
  const folder = join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const policy = { apiVersion: 'policy/v1', id: 'bench', layer: 'user', default: 'allow', rules: [] };
  writeFileSync(join(folder, 'bench.json'), JSON.stringify(policy), { mode: 0o600 });
}

/** A second policy, with limits and rules that narrow. */
export function writeLimits({ env }: Bench, limits: object, rules: readonly object[] = []): void {
  const folder = join(env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  const policy = { apiVersion: 'policy/v1', id: 'limits', layer: 'user', default: 'allow', rules, limits };
  writeFileSync(join(folder, 'limits.json'), JSON.stringify(policy), { mode: 0o600 });
}

/** Resolves when so many calls of a run wait for a person. */
export function pendingCalls(desk: AgentBench, id: string, count = 1): Promise<ApprovalDocument[]> {
  return eventually(`${count} calls wait`, async () => {
    const all = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
    return all.length === count && all;
  });
}
