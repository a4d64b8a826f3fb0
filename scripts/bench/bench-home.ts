/** A supervisor of our own in a temporary home, and a workspace to run in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callerHere, inheritedEnvironment } from '../../src/client/caller.ts';
import { type Client, connect } from '../../src/client/client.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Home, locateHome } from '../../src/protocol/home.ts';
import { packageRoot } from '../../src/protocol/install.ts';
import { HOG } from './hog.ts';
import { spawnToEnd } from './spawn-to-end.ts';

export interface Bench {
  readonly home: Home;
  readonly workspace: string;
  /** What a command gets that is to reach our home. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs `./bin/q workflow …` against our home, in our workspace; throws when it fails. */
  cli(...words: string[]): Promise<void>;
  /** The same with more environment. */
  cliWith(more: NodeJS.ProcessEnv, ...words: string[]): Promise<void>;
  connect(): Promise<Client>;
  /** Writes a workflow file, with these resource limits or the usual ones, and gives its path. */
  workflow(name: string, steps: readonly object[], limits?: object): string;
  /** Submits a file; resolves with the id when it is durable. */
  submit(client: Client, file: string): Promise<string>;
  /** Submits a file and resolves when the run has ended; throws unless it completed. */
  runToEnd(client: Client, file: string): Promise<StatusDocument>;
  /** Stops the supervisor with all its instances and removes every file. */
  close(): Promise<void>;
}

/** The skills of the measures: an effect-free one, and commands of several lengths. */
const SKILLS = [
  { name: 'say', type: 'prompt_inline', prompt_template: 'ok' },
  { name: 'node-nothing', type: 'code_inline', command: process.execPath, args: ['-e', '0'] },
  { name: 'true', type: 'code_inline', command: 'true', args: [] },
  { name: 'sh-true', type: 'code_inline', command: 'sh', args: ['-c', 'true'] },
  { name: 'sleep', type: 'code_inline', command: 'sleep', args: ['60'] },
  { name: 'hog', type: 'code_inline', command: process.execPath, args: ['-e', HOG] },
];

const RUN_DEADLINE_MS = 120_000;

/** Makes the folders and starts a supervisor from dist/, through the command line. */
export async function openBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'q-bench-'));
  const workspace = join(folder, 'workspace');
  mkdirSync(join(workspace, '.q-skills'), { recursive: true });
  for (const skill of SKILLS)
    writeFileSync(join(workspace, '.q-skills', `${skill.name}.json`), JSON.stringify(skill));
  const env = {
    ...process.env,
    Q_WORKFLOW_HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data'),
    Q_WORKFLOW_SYSLOG: 'off',
  };
  const home = locateHome(env);
  const q = join(packageRoot(), 'bin', 'q');
  const cliWith: Bench['cliWith'] = (more, ...words) =>
    spawnToEnd(q, ['workflow', ...words], { cwd: workspace, env: { ...env, ...more } });
  const cli: Bench['cli'] = (...words) => cliWith({}, ...words);
  await cli('supervisor', 'start');

  const submit: Bench['submit'] = async (client, file) => {
    const request = {
      target: file,
      caller: callerHere(workspace),
      inputs: {},
      context: {},
      env: inheritedEnvironment(),
    };
    return (await client.call('workflow.run', request)).id;
  };
  return {
    home,
    workspace,
    env,
    cli,
    cliWith,
    connect: () => connect(home, 'must_run'),
    workflow: (name, steps, limits) => {
      const file = join(workspace, `${name}.json`);
      writeFileSync(file, JSON.stringify({ name, version: '1.0.0', steps, resource_limits: limits }));
      return file;
    },
    submit,
    runToEnd: async (client, file) => {
      const id = await submit(client, file);
      const [end] = await ends(client, [id]);
      if (end === undefined) throw new Error(`no end of ${id}`);
      return end;
    },
    close: async () => {
      try {
        await cli('supervisor', 'stop', '--instances', 'stop');
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      }
    },
  };
}

/** Watches instances until all have ended; takes the client's one listener. Throws unless all completed. */
export async function ends(client: Client, ids: readonly string[]): Promise<StatusDocument[]> {
  const open = new Set(ids);
  const documents: StatusDocument[] = [];
  const done = Promise.withResolvers<void>();
  const take = (document: StatusDocument): void => {
    if (!open.delete(document.id)) return;
    documents.push(document);
    if (document.status !== 'completed')
      done.reject(new Error(`${document.id}: ${document.status}: ${document.error?.message}`));
    if (open.size === 0) done.resolve();
  };
  client.onNotification((notification) => {
    if (notification.method === 'instance.ended') take(notification.params);
  });
  const timer = setTimeout(
    () => done.reject(new Error(`${open.size} instances have not ended`)),
    RUN_DEADLINE_MS,
  );
  try {
    const now = await Promise.all(ids.map((id) => client.call('instance.watch', { id })));
    for (const document of now) if (document.ended_at !== null) take(document);
    await done.promise;
  } finally {
    clearTimeout(timer);
  }
  return documents;
}

/** A skill step as a workflow file has it. */
export function step(id: string, skill: string): object {
  return { id, type: 'skill', skill };
}

export function sequence(count: number, skill: string): object[] {
  return Array.from({ length: count }, (_, index) => step(`s${index}`, skill));
}
