/** A memory hog at its limit: what it gets over it, and how soon its run has ended. */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import type { Scope, ScopeRecord } from '../../sandbox/isolation.ts';
import { reopenScope } from '../../sandbox/reopen.ts';
import type { Client } from '../../src/client/client.ts';
import type { Home } from '../../src/protocol/home.ts';
import { type Bench, step } from './bench-home.ts';
import { HOG } from './hog.ts';
import type { Measure, Result } from './measure.ts';
import { untilRunning } from './running.ts';
import { clear, MIB, NO_LIMITS, startIn, withIsolation } from './scopes.ts';

const ROUNDS = 5;
const LIMIT_BYTES = 128 * MIB;
const RUN_LIMIT_MB = 192;
const WAIT_MS = 60_000;

export const memoryLimit: Measure = {
  name: 'memory-limit',
  run: async (bench) => [await overshoot(), await endOfRun(bench)],
};

async function overshoot(): Promise<Result> {
  const over: number[] = [];
  await withIsolation('cgroup', async (isolation) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const scope = isolation.openScope(`hog-${round}`, { ...NO_LIMITS, memoryBytes: LIMIT_BYTES });
      const child = startIn(scope, process.execPath, ['-e', HOG]);
      await new Promise((resolve) => child.once('exit', resolve));
      const { memoryPeakBytes, oomKills } = scope.usage();
      if (oomKills === 0 || memoryPeakBytes < LIMIT_BYTES * 0.9)
        throw new Error(`the hog ended at ${memoryPeakBytes} bytes, and not by its limit`);
      over.push(Math.max(0, memoryPeakBytes - LIMIT_BYTES) / MIB);
      await clear(scope);
    }
  });
  return {
    name: `memory over a limit of ${LIMIT_BYTES / MIB} MiB, by the kernel's own peak (max)`,
    unit: 'MiB',
    value: Math.max(...over),
    floor: null,
    floorIs: '',
    bar: { of: 'value', atMost: 0 },
    rounds: ROUNDS,
  };
}

async function endOfRun(bench: Bench): Promise<Result> {
  const file = bench.workflow('hog', [step('hog', 'hog')], { max_memory_mb: RUN_LIMIT_MB });
  const times: number[] = [];
  const client = await bench.connect();
  try {
    for (let round = 0; round < ROUNDS; round += 1) times.push(await oneRun(bench, client, file));
  } finally {
    client.close();
  }
  return {
    name: 'kill for memory by the kernel to the end of the run in the journal (max)',
    unit: 'ms',
    value: Math.max(...times),
    floor: null,
    floorIs: '',
    bar: { of: 'value', atMost: 250 },
    rounds: ROUNDS,
    note: 'from the last look, one a ms, that saw no kill yet',
  };
}

async function oneRun(bench: Bench, client: Client, file: string): Promise<number> {
  const id = await bench.submit(client, file);
  await untilRunning(client, id);
  const scope = scopeOf(bench.home, id);
  try {
    const before = await lastLookBeforeKill(scope);
    return (await endedAt(bench.home, id)) - before;
  } finally {
    scope.close();
  }
}

/** When no kill was seen for the last time: the kernel's was after it, so that what is measured is never too short. */
async function lastLookBeforeKill(scope: Scope): Promise<number> {
  let before = Date.now();
  if (scope.usage().oomKills > 0) throw new Error('the hog was killed before the first look');
  for (const deadline = before + WAIT_MS; before < deadline; ) {
    await pause(1);
    const now = Date.now();
    if (scope.usage().oomKills > 0) return before;
    before = now;
  }
  throw new Error(`no kill for memory within ${WAIT_MS} ms`);
}

function scopeOf(home: Home, id: string): Scope {
  const [row] = rows(home, 'SELECT scope FROM instances WHERE id = ?', id);
  // The column holds a ScopeRecord once the instance was launched.
  const record = JSON.parse(String(row?.['scope'] ?? 'null')) as ScopeRecord | null;
  const scope = record === null ? null : reopenScope(record);
  if (scope === null) throw new Error(`instance ${id} has no scope`);
  return scope;
}

/** The time of the event that ends the run, once it is committed; throws unless it is the end for memory. */
async function endedAt(home: Home, id: string): Promise<number> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await pause(20)) {
    const [row] = rows(home, 'SELECT at, body FROM events WHERE instance = ? ORDER BY seq DESC LIMIT 1', id);
    const body = String(row?.['body'] ?? '');
    if (!body.includes('"run.ended"')) continue;
    if (!body.includes('STEP_OOM')) throw new Error(`instance ${id} has not ended for memory: ${body}`);
    return Number(row?.['at']);
  }
  throw new Error(`instance ${id} has not ended within ${WAIT_MS} ms`);
}

function rows(home: Home, sql: string, id: string): Record<string, SQLOutputValue>[] {
  const database = new DatabaseSync(home.database, { readOnly: true });
  try {
    return database.prepare(sql).all(id);
  } finally {
    database.close();
  }
}
