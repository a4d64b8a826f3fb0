/** A state folder, a workspace and the real command line, for tests with real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { JournalEntry, RunEvent } from '../../src/engine/events.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bench {
  readonly home: string;
  readonly workspace: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `q workflow …` in the workspace to its end, with a bound. */
  q(...args: readonly string[]): Promise<Finished>;
  /** The same with more environment. */
  qWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Finished>;
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
  json(...args: readonly string[]): Promise<unknown>;
  status(id: string): Promise<StatusDocument>;
  skill(name: string, skill: object): void;
  script(name: string, text: string): string;
  workflow(name: string, definition: object): string;
  journal(id: string): JournalEntry[];
  supervisorPid(): Promise<number>;
  /** Stops the supervisor with its instances and removes the folders. */
  close(): Promise<void>;
}

const COMMAND_DEADLINE_MS = 60_000;

export interface BenchOptions {
  readonly isolation?: 'polling';
  /** A bwrap comes first on PATH that is refused, as on a machine that forbids it namespaces. */
  readonly bubblewrap?: 'refused';
  /** Words before each command line, to run it elsewhere (in another mount namespace), by its working folder. */
  readonly prefix?: (folder: string) => readonly string[];
  /** The state folder, where it shall not lie beside the workspace. */
  readonly home?: string;
}

export function openBench(options: BenchOptions = {}): Bench {
  const base = mkdtempSync(join(tmpdir(), 'qw-test-'));
  const home = options.home ?? join(base, 'home');
  const workspace = join(base, 'ws');
  for (const folder of [workspace, join(workspace, '.q-skills'), join(workspace, '.amazonq', 'workflows')])
    mkdirSync(folder, { recursive: true });
  const env: NodeJS.ProcessEnv = {
    PATH: options.bubblewrap === undefined ? process.env['PATH'] : pathWithRefused(base),
    HOME: base,
    Q_WORKFLOW_HOME: home,
    Q_WORKFLOW_SYSLOG: 'off',
    ...(options.isolation === undefined ? {} : { Q_WORKFLOW_ISOLATION: options.isolation }),
  };
  const start: Bench['start'] = (args, more = {}) => {
    const [program = '', ...rest] = [
      ...(options.prefix?.(workspace) ?? []),
      join(ROOT, 'bin', 'q'),
      'workflow',
      ...args,
    ];
    return spawn(program, rest, { cwd: workspace, env: { ...env, ...more } });
  };
  const qWith: Bench['qWith'] = (more, ...args) => finish(start(args, more));
  const q: Bench['q'] = (...args) => qWith({}, ...args);
  const json: Bench['json'] = async (...args) => {
    const { stdout, stderr } = await q(...args, '--json');
    try {
      return JSON.parse(stdout);
    } catch (error) {
      throw new Error(`${args.join(' ')} printed no JSON: ${stdout} ${stderr}`, { cause: error });
    }
  };
  return {
    home,
    workspace,
    env,
    q,
    qWith,
    start,
    json,
    status: async (id) => (await json('status', id)) as StatusDocument,
    skill: (name, skill) =>
      writeFileSync(join(workspace, '.q-skills', `${name}.json`), JSON.stringify({ name, ...skill })),
    script: (name, text) => {
      const file = join(workspace, name);
      writeFileSync(file, text, { mode: 0o755 });
      return file;
    },
    workflow: (name, definition) => {
      const file = join(workspace, '.amazonq', 'workflows', `${name}.json`);
      writeFileSync(file, JSON.stringify({ name, version: '1.0.0', ...definition }));
      return file;
    },
    journal: (id) => readJournal(join(home, 'q-workflow.db'), id),
    supervisorPid: async () => ((await json('supervisor', 'status')) as { pid: number }).pid,
    close: async () => {
      await q('supervisor', 'stop', '--instances', 'stop');
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function pathWithRefused(base: string): string {
  const folder = join(base, 'refused');
  mkdirSync(folder);
  writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\necho "bwrap: No permissions" >&2; exit 1\n', {
    mode: 0o755,
  });
  return `${folder}:${process.env['PATH']}`;
}

export function finish(child: ChildProcess, deadlineMs = COMMAND_DEADLINE_MS): Promise<Finished> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `a command did not end in ${deadlineMs} ms: ${child.spawnargs.join(' ')} ${stdout} ${stderr}`,
        ),
      );
    }, deadlineMs);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

/** The committed events of an instance, read beside the running supervisor. */
function readJournal(file: string, id: string): JournalEntry[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare('SELECT seq, at, body FROM events WHERE instance = ? ORDER BY seq')
      .all(id)
      .map((row) => ({
        seq: Number(row['seq']),
        at: Number(row['at']),
        event: JSON.parse(String(row['body'])) as RunEvent,
      }));
  } finally {
    database.close();
  }
}

/** Resolves when `look` answers something that is neither undefined nor false; looks every 20 ms or so, with a bound. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 20_000,
  pauseMs = 20,
): Promise<Exclude<T, undefined | false | null>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false && value !== null)
      return value as Exclude<T, undefined | false | null>;
    if (performance.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
