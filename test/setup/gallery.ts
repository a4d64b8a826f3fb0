/** A workspace with the examples, their skills and agents, as somebody who copied them has it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/definition/workflow.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { Scenario } from '../provider/scenario.ts';
import { type MockProvider, startMockProvider } from '../provider/server.ts';
import { type Bench, openBench, ROOT } from './bench-home.ts';

export interface Gallery {
  readonly bench: Bench;
  /** Runs an example to its end; `inputs` are `name=value`. */
  run(name: string, ...inputs: readonly string[]): Promise<{ exit: number | null; run: StatusDocument }>;
  /** The same with a mock that plays `examples/NAME-scenario.json`, or with another text of it. */
  play(
    name: string,
    inputs?: readonly string[],
    more?: readonly string[],
  ): Promise<{ exit: number | null; run: StatusDocument; provider: MockProvider }>;
  read(file: string): string;
  write(file: string, text: string): void;
  git(...args: readonly string[]): string;
  close(): Promise<void>;
}

export function openGallery(): Gallery {
  const bench = openBench();
  const { workspace } = bench;
  for (const name of ['examples', 'docs', 'schema', '.q-skills', '.amazonq/cli-agents'])
    cpSync(join(ROOT, name), join(workspace, name), { recursive: true });
  const providers: MockProvider[] = [];
  const flags = (inputs: readonly string[]): string[] => inputs.flatMap((input) => ['--input', input]);
  const parse = (stdout: string, stderr: string): StatusDocument => {
    if (stdout === '') throw new Error(`nothing was printed: ${stderr}`);
    return JSON.parse(stdout) as StatusDocument;
  };
  const git: Gallery['git'] = (...args) =>
    execFileSync(
      'git',
      ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: workspace,
        encoding: 'utf8',
        env: { ...bench.env, GIT_CONFIG_GLOBAL: '/dev/null' },
      },
    );
  return {
    bench,
    run: async (name, ...inputs) => {
      const { status, stdout, stderr } = await bench.q(
        'run',
        `examples/${name}.json`,
        '--json',
        ...flags(inputs),
      );
      return { exit: status, run: parse(stdout, stderr) };
    },
    play: async (name, inputs = [], more = []) => {
      const file = join(workspace, 'examples', `${name}-scenario.json`);
      const provider = await startMockProvider(JSON.parse(readFileSync(file, 'utf8')) as Scenario);
      providers.push(provider);
      const model = { Q_WORKFLOW_MODEL: 'mock', Q_WORKFLOW_MODEL_BASE_URL: `${provider.url}/v1` };
      const { status, stdout, stderr } = await bench.qWith(
        model,
        'run',
        `examples/${name}.json`,
        '--json',
        ...flags(inputs),
        ...more,
      );
      return { exit: status, run: parse(stdout, stderr), provider };
    },
    read: (file) => readFileSync(join(workspace, file), 'utf8'),
    write: (file, text) => {
      mkdirSync(join(workspace, file, '..'), { recursive: true });
      writeFileSync(join(workspace, file), text);
    },
    git,
    close: async () => {
      await bench.close();
      for (const provider of providers) await provider.close();
    },
  };
}

/** A field of the result of the step with that id. */
export function output(run: StatusDocument, id: string, field: string): Json | undefined {
  const outputs = run.steps.findLast((step) => step.id === id)?.outputs;
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs)) return undefined;
  return (outputs as { readonly [name: string]: Json })[field];
}

/** The same where it has to be a text. */
export function textOutput(run: StatusDocument | undefined, id: string, field: string): string {
  const value = run === undefined ? undefined : output(run, id, field);
  if (typeof value !== 'string') throw new Error(`${id}.${field} is ${JSON.stringify(value)}`);
  return value;
}
