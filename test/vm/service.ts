/** The supervisor of a bench as a unit of systemd: the machine's for root, the user's own for anybody else. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { homeKey } from '../../sandbox/choose.ts';
import { scopeSlice } from '../../sandbox/systemd/units.ts';
import type { Client } from '../../src/client/client.ts';
import { ensureWorkflowError } from '../../src/errors/workflow-error.ts';
import type { StatusDocument, SupervisorStatus } from '../../src/protocol/control.ts';
import { type Bench, eventually, ROOT } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';
import { outputsOf } from '../setup/leftovers.ts';

const run = promisify(execFile);
/** The VM is emulated, on a machine that may be busy: what takes a second elsewhere may take a minute here. */
const SLOW_MS = 300_000;
const PAUSE_MS = 500;
export const UID = process.getuid?.() ?? 0;
export const WHO = UID === 0 ? 'root' : 'a user';
export const SCOPES_FOLDER = scopesFolderOf(UID);
const UNITS =
  UID === 0 ? '/run/systemd/system' : join(process.env['XDG_RUNTIME_DIR'] ?? '', 'systemd', 'user');

/** `eventually` for a slow machine: waits longer, and looks seldom, because each look costs it a good deal. */
export function patiently<T>(what: string, look: () => T | Promise<T>): ReturnType<typeof eventually<T>> {
  return eventually(what, look, SLOW_MS, PAUSE_MS);
}

export interface Service {
  readonly name: string;
  /** Runs `systemctl VERB UNIT`; throws with what it said when it fails. */
  control(...words: readonly string[]): Promise<string>;
  mainPid(): Promise<number>;
  /** Resolves when a supervisor with another pid than `notPid` answers. */
  ready(notPid?: number): Promise<SupervisorStatus>;
  remove(): Promise<void>;
}

/** Writes the unit, without starting it. `lines` are further ones of its section Service. */
export async function openService(bench: Bench, lines: readonly string[] = []): Promise<Service> {
  const name = `q-workflow-test-${process.pid}.service`;
  const file = join(UNITS, name);
  mkdirSync(UNITS, { recursive: true });
  const program = `${process.execPath} --no-warnings ${join(ROOT, 'dist/supervisor/main.cjs')}`;
  const settings = ['Type=exec', `ExecStart=${program}`, 'Restart=always', 'RestartSec=200ms'];
  const env = [`Q_WORKFLOW_HOME=${bench.home}`, `HOME=${bench.env['HOME']}`];
  writeFileSync(
    file,
    ['[Service]', ...settings, ...env.map((pair) => `Environment=${pair}`), ...lines, ''].join('\n'),
  );
  const control: Service['control'] = async (...words) => (await systemctl(...words)).trim();
  await control('daemon-reload');
  return {
    name,
    control,
    mainPid: async () => Number(await control('show', '--property=MainPID', '--value', name)),
    ready: (notPid) => patiently(`${name} answers`, () => answering(bench, notPid)),
    remove: async () => {
      await control('stop', name);
      rmSync(file);
      await control('daemon-reload');
    },
  };
}

function scopesFolderOf(uid: number): string {
  return `/sys/fs/cgroup${scopeSlice(uid).path}`;
}

async function systemctl(...words: readonly string[]): Promise<string> {
  const { stdout } = await run('systemctl', [...(UID === 0 ? [] : ['--user']), ...words]);
  return stdout;
}

/** What the supervisor says of itself; null while nobody answers, or only the one with the pid `not`. */
export async function answering(bench: Bench, not?: number): Promise<SupervisorStatus | null> {
  let client: Client;
  try {
    client = await connectTo(bench);
  } catch (error) {
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    return null;
  }
  try {
    const status = await client.call('supervisor.status', {});
    return status.pid === not ? null : status;
  } catch (error) {
    // It left in the middle of the answer.
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    return null;
  } finally {
    client.close();
  }
}

/** Starts `count` runs of a workflow over one connection; a command line for each takes seconds here. */
export async function startMany(bench: Bench, workflow: string, count: number): Promise<string[]> {
  const client = await connectTo(bench);
  try {
    const env = { PATH: process.env['PATH'] ?? '' };
    const request = { target: workflow, caller: callerOf(bench), inputs: {}, context: {}, env };
    const started = await Promise.all(
      Array.from({ length: count }, () => client.call('workflow.run', request)),
    );
    return started.map(({ id }) => id);
  } finally {
    client.close();
  }
}

/** Waits for the end of a run, over one connection; a command line for each look takes seconds here. */
export async function endOf(bench: Bench, id: string): Promise<StatusDocument> {
  const client = await connectTo(bench);
  try {
    return await patiently(`the end of ${id}`, async () => {
      const run = await client.call('instance.status', { id });
      return run.ended_at !== null && run;
    });
  } finally {
    client.close();
  }
}

/** What the step with that id printed. */
export function stdoutOf(run: StatusDocument, id: string): string {
  const { stdout } = outputsOf(run, id);
  assert.ok(typeof stdout === 'string', `${id} printed nothing`);
  return stdout.trim();
}

/** Names of the systemd scopes of a home that are in the kernel now; root sees those of user dev too. */
export function scopesOf(bench: Bench): string[] {
  const start = `q-workflow-${homeKey(bench.home)}-`;
  const folders = UID === 0 ? [SCOPES_FOLDER, scopesFolderOf(1000)] : [SCOPES_FOLDER];
  return folders
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.startsWith(start))
    .sort();
}

/** Names of them that systemd has, in whatever state. */
export async function scopeUnitsOf(bench: Bench): Promise<string[]> {
  const pattern = `q-workflow-${homeKey(bench.home)}-*.scope`;
  const text = await systemctl('list-units', '--all', '--plain', '--no-legend', pattern);
  return text.split('\n').flatMap((line) => line.trim().split(' ')[0] || []);
}

/** Asserts that neither kernel nor systemd has anything of the home left, once its last process is gone. */
export async function assertNoScopes(bench: Bench): Promise<void> {
  await patiently('the end of the last scope', () => scopesOf(bench).length === 0);
  assert.deepEqual(await scopeUnitsOf(bench), []);
}
