/**
 * A soak of short runs: Q_TEST_INSTANCES of them (20,000 in a soak, a few otherwise) under one supervisor, which holds
 * no more at the end than after the first 500: memory and descriptors, cgroups and temporary files.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { homeKey } from '../../sandbox/choose.ts';
import type { Client } from '../../src/client/client.ts';
import { SCRATCH_ROOT } from '../../src/supervisor/sandboxes/scratch.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';
import { foldersOf } from '../setup/leftovers.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';
const INSTANCES = Number(process.env['Q_TEST_INSTANCES'] ?? (isSoak ? 20_000 : 24));
/** What is warm by then stays. */
const WARM = Math.min(500, Math.floor(INSTANCES / 2));
/** Fewer say nothing about memory: code is still being compiled. */
const TELLS_MEMORY = 1_000;
const AT_ONCE = 8;
const LOOKS = isSoak ? 120 : 20;
const LOOK_MS = isSoak ? 1_000 : 250;
const SLACK = 1.05;
const DAY_MS = 86_400_000;

interface Held {
  readonly rssKb: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly cgroups: number;
  readonly files: number;
}

describe(`${INSTANCES} short instances under one supervisor`, { timeout: DAY_MS }, () => {
  let bench: Bench;
  let client: Client;
  before(async () => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'hello' });
    bench.skill('nothing', { type: 'code_inline', command: 'true' });
    bench.workflow('short', {
      resource_limits: { max_memory_mb: 128 },
      steps: ['say', 'nothing'].map((skill) => ({ id: skill, type: 'skill', skill })),
    });
    await bench.json('supervisor', 'start');
    client = await connectTo(bench);
  });
  after(async () => {
    client.close();
    await bench.close();
  });

  /** Runs so many to their ends, some at a time. */
  async function run(count: number): Promise<void> {
    const waiting = new Map<string, () => void>();
    const ended = new Map<string, string>();
    client.onNotification((notification) => {
      if (notification.method !== 'instance.ended') return;
      ended.set(notification.params.id, notification.params.status);
      waiting.get(notification.params.id)?.();
    });
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const { id } = await client.call('workflow.run', {
          target: 'short',
          caller: callerOf(bench),
          inputs: {},
          context: {},
          env: { PATH: String(process.env['PATH']) },
        });
        const told = new Promise<void>((resolve) => waiting.set(id, resolve));
        const now = await client.call('instance.watch', { id });
        if (now.ended_at !== null) ended.set(id, now.status);
        else if (!ended.has(id)) await told;
        waiting.delete(id);
        assert.equal(ended.get(id), 'completed', id);
        ended.delete(id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  /** What it holds at rest: the least of some looks. V8 frees what is garbage when nothing has happened for a while. */
  async function held(pid: number): Promise<Held> {
    const key = homeKey(bench.home);
    await eventually('no instance has a cgroup', () => runFolders(key) === 0);
    const looks: Held[] = [];
    await eventually('some looks', () => looks.push(look(pid, bench, key)) >= LOOKS, 300_000, LOOK_MS);
    const least = (field: keyof Held): number => Math.min(...looks.map((each) => each[field]));
    return {
      rssKb: least('rssKb'),
      descriptors: least('descriptors'),
      threads: least('threads'),
      cgroups: least('cgroups'),
      files: least('files'),
    };
  }

  test('it holds at the end what it held when it was warm', { timeout: DAY_MS }, async (t) => {
    const pid = await bench.supervisorPid();
    await run(WARM);
    const warm = await held(pid);
    const known = new Set(filesOf(bench));
    t.diagnostic(`after ${WARM}: ${JSON.stringify(warm)}`);
    const begin = performance.now();
    await run(INSTANCES - WARM);
    const seconds = (performance.now() - begin) / 1000;
    const now = await held(pid);
    const fresh = filesOf(bench).filter((name) => !known.has(name));
    t.diagnostic(`files that were not there then: ${fresh.join(', ') || 'none'}`);
    t.diagnostic(
      `after ${INSTANCES}: ${JSON.stringify(now)}, ${((INSTANCES - WARM) / seconds).toFixed(1)} a second`,
    );
    assert.equal(await bench.supervisorPid(), pid, 'it is the same supervisor');
    for (const field of ['descriptors', 'threads', 'cgroups', 'files'] as const)
      assert.ok(now[field] <= warm[field] * SLACK, `${field}: ${warm[field]} before, ${now[field]} now`);
    if (INSTANCES >= TELLS_MEMORY)
      assert.ok(now.rssKb <= warm.rssKb * SLACK, `RSS: ${warm.rssKb} kB before, ${now.rssKb} kB now`);
  });
});

function look(pid: number, bench: Bench, key: string): Held {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const ours = new Set(readdirSync(join(bench.home, 'instances')));
  const scratches = readdirSync(SCRATCH_ROOT).filter((name) => ours.has(name.replace('q-workflow-', '')));
  return {
    rssKb: field('VmRSS'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    cgroups: foldersOf(key).length + runFolders(key),
    // What a run keeps lies in instances/; all else is to be gone.
    files: scratches.length + filesOf(bench).length,
  };
}

/** In the state folder, but of runs, and what the daily upkeep notes a minute after the start. */
function filesOf(bench: Bench): string[] {
  const names = readdirSync(bench.home, { recursive: true }).map(String);
  return names.filter((name) => !/^(instances\/|archive(\/\.(age|last-run))?$)/.test(name));
}

/** Folders of cgroups below those of the supervisor's own. */
function runFolders(key: string): number {
  return foldersOf(key).reduce(
    (sum, folder) =>
      sum + readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length,
    0,
  );
}
