/** Instances that run: found, watched, and their processes looked at. Linux only. */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Client } from '../../src/client/client.ts';
import type { Home } from '../../src/protocol/home.ts';

const WAIT_MS = 20_000;

/** Resolves when a step of the instance is reported as running from now on; takes the client's one listener. */
export function stepRunning(client: Client, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no step of ${id} is running after ${WAIT_MS} ms`)),
      WAIT_MS,
    );
    client.onNotification((notification) => {
      if (notification.method !== 'instance.step' || notification.params.id !== id) return;
      if (notification.params.step.status !== 'running') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Watches an instance and resolves when one of its steps is running, be it now or later. */
export async function untilRunning(client: Client, id: string): Promise<void> {
  const told = stepRunning(client, id);
  // What the answer shows is not told again; then the wait below is left to its deadline.
  told.catch(() => undefined);
  const now = await client.call('instance.watch', { id });
  if (!now.steps.some(({ status }) => status === 'running')) await told;
}

/** The pid of the instance's own process, as the supervisor has recorded it. */
export function hostPid(home: Home, id: string): number {
  const database = new DatabaseSync(home.database, { readOnly: true });
  try {
    const row = database.prepare('SELECT process FROM instances WHERE id = ?').get(id);
    // The column holds a ProcessIdentity, or null while nothing runs.
    const identity = JSON.parse(String(row?.process ?? 'null')) as { pid: number } | null;
    if (identity === null) throw new Error(`instance ${id} has no process`);
    return identity.pid;
  } finally {
    database.close();
  }
}

/** Proportional set size of a process: shared pages by their share. */
export function pssMebibytes(pid: number): number {
  return field(`/proc/${pid}/smaps_rollup`, 'Pss');
}

export function rssMebibytes(pid: number): number {
  return field(`/proc/${pid}/status`, 'VmRSS');
}

function field(file: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'));
  if (match === null) throw new Error(`${file} has no ${name}`);
  return Number(match[1]) / 1024;
}
