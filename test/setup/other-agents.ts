/** Programs of other makers on a bench: fakes on the PATH that play a script of the workspace. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { JsonObject } from '../../src/definition/workflow.ts';
import type { AgentEvent } from '../../src/engine/agent-events.ts';
import { isAgentEvent } from '../../src/engine/agent-events.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { allowEverything } from './agents.ts';
import { type Bench, openBench, ROOT } from './bench-home.ts';
import { textOf } from './leftovers.ts';

export interface OtherBench {
  readonly bench: Bench;
  readonly env: NodeJS.ProcessEnv;
  agent(file: object): void;
  /** A workflow `w` of one agent step `a` with the agent `helper`. */
  workflow(step?: object, more?: object): void;
  run(...args: readonly string[]): Promise<{ code: number | null; run: StatusDocument; stderr: string }>;
  start(...args: readonly string[]): Promise<string>;
  agentEvents(id: string): AgentEvent[];
  /** What a fake ACP agent heard, one entry a line. */
  heard(): JsonObject[];
  /** Sets a policy of the user in place of the one that allows everything. */
  policy(content: object): void;
}

export const GEMINI_KEY = 'gm-test-0123456789';

/** `script` is that of the fake ACP agent. */
export function openOtherBench(t: TestContext, script: object = { turns: [] }): OtherBench {
  const bench = openBench();
  t.after(() => bench.close());
  const base = bench.env['HOME'] ?? '';
  const bin = placePrograms(bench, [
    ...['gemini', 'opencode', 'claude-agent-acp', 'codex-acp'].map((name) => [name, 'fake-acp.mjs'] as const),
    ...['kiro-cli', 'q'].map((name) => [name, 'fake-chat.mjs'] as const),
  ]);
  writeFileSync(join(bench.workspace, 'acp-script.json'), JSON.stringify(script));
  const folder = join(bench.workspace, '.amazonq', 'cli-agents');
  mkdirSync(folder, { recursive: true });
  allowEverything(bench);
  const env = {
    PATH: `${bin}:${bench.env['PATH']}`,
    GEMINI_API_KEY: GEMINI_KEY,
    OPENAI_API_KEY: 'sk-not-for-gemini-1',
    KIRO_API_KEY: 'ki-test-0123456789',
  };
  const agent: OtherBench['agent'] = (file) =>
    writeFileSync(
      join(folder, 'helper.json'),
      JSON.stringify({ name: 'helper', prompt: 'You are a helper.', tools: ['*'], ...file }),
    );
  agent({ driver: 'acp', profile: 'gemini' });
  return {
    bench,
    env,
    agent,
    workflow: (step = {}, more = {}) => {
      const a = { id: 'a', type: 'agent', agent: 'helper', inputs: { task: 'Do it.' }, async: false };
      bench.workflow('w', { steps: [{ ...a, ...step }], ...more });
    },
    run: async (...args) => {
      const { status, stdout, stderr } = await bench.qWith(env, 'run', 'w', ...args, '--json');
      try {
        return { code: status, run: JSON.parse(stdout) as StatusDocument, stderr };
      } catch (error) {
        throw new Error(`run printed no JSON: ${stdout} ${stderr}`, { cause: error });
      }
    },
    start: async (...args) => {
      const { stdout, stderr } = await bench.qWith(env, 'run', 'w', '--detach', '--json', ...args);
      if (stdout === '') throw new Error(`run printed nothing: ${stderr}`);
      return (JSON.parse(stdout) as { id: string }).id;
    },
    agentEvents: (id) => bench.journal(id).flatMap(({ event }) => (isAgentEvent(event) ? [event] : [])),
    heard: () =>
      textOf(join(bench.workspace, 'acp-heard.jsonl'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JsonObject),
    policy: (content) => {
      const file = join(base, '.config', 'q-workflow', 'policies', 'bench.json');
      const policy = { apiVersion: 'policy/v1', id: 'bench', layer: 'user', ...content };
      writeFileSync(file, JSON.stringify(policy), { mode: 0o600 });
    },
  };
}

/** Puts fakes of `test/agents` under these names into a folder for the PATH, and answers the folder. */
export function placePrograms(
  bench: Bench,
  programs: readonly (readonly [name: string, source: string])[],
): string {
  const bin = join(bench.env['HOME'] ?? '', 'tools', 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, source] of programs) {
    const text = readFileSync(join(ROOT, 'test', 'agents', source), 'utf8');
    writeFileSync(join(bin, `${name}.mjs`), text);
    const start = `#!${process.execPath}\nimport(${JSON.stringify(join(bin, `${name}.mjs`))});\n`;
    writeFileSync(join(bin, name), start, { mode: 0o755 });
  }
  return bin;
}
