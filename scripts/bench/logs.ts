/** `logs` of a run that wrote 1 GB: what a person waits for the first line, and what the command holds to the last one. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/errors/workflow-error.ts';
import { packageRoot } from '../../src/protocol/install.ts';
import { type Bench, step } from './bench-home.ts';
import { type Measure, median } from './measure.ts';

const LOGS = 4;
const PARTS = 4;
const PART_BYTES = 64 * 1024 * 1024;
const PIECE = Buffer.from(
  'a line of an ordinary log, with some words and a number 12345 in it\n'.repeat(960),
);
const ROUNDS = 7;
const HWM_LOOK_MS = 10;

export const logs: Measure = {
  name: 'logs',
  run: async (bench) => {
    const client = await bench.connect();
    try {
      const { id } = await bench.runToEnd(client, bench.workflow('logged', [step('a', 'true')]));
      const { folder } = await client.call('instance.logs', { id });
      writeLogs(folder);
      try {
        return await measured(bench, id);
      } finally {
        rmSync(folder, { recursive: true });
      }
    } finally {
      client.close();
    }
  },
};

async function measured(bench: Bench, id: string): ReturnType<Measure['run']> {
  const floors: number[] = [];
  const first: number[] = [];
  const tail: number[] = [];
  const q = (...words: string[]): Promise<Seen> =>
    seen(bench, join(packageRoot(), 'bin', 'q'), ['workflow', 'logs', id, ...words], 'first');
  for (let round = 0; round < ROUNDS; round += 1) {
    floors.push((await seen(bench, process.execPath, ['-e', 'console.log(0)'], 'first')).firstMs);
    first.push((await q()).firstMs);
    tail.push((await q('--tail', '100')).firstMs);
  }
  const whole = await seen(bench, join(packageRoot(), 'bin', 'q'), ['workflow', 'logs', id], 'all');
  const shared = {
    unit: 'ms',
    floor: median(floors),
    floorIs: "node -e 'console.log(0)'",
    bar: { of: 'difference', atMost: 100 },
    rounds: ROUNDS,
  } as const;
  return [
    { ...shared, name: 'logs of 1 GB, first line', value: median(first) },
    { ...shared, name: 'the same with --tail 100', value: median(tail) },
    {
      name: 'the same, all of it: peak memory',
      unit: 'MiB',
      value: whole.peakMebibytes,
      floor: null,
      floorIs: '',
      bar: { of: 'value', atMost: 100 },
      rounds: 1,
      note: `in ${(whole.totalMs / 1000).toFixed(0)} s`,
    },
  ];
}

interface Seen {
  readonly firstMs: number;
  readonly totalMs: number;
  readonly peakMebibytes: number;
}

/** Reads what a command prints: all of it, or until the first of it came and then goes away as `head` does. */
async function seen(bench: Bench, file: string, args: string[], until: 'first' | 'all'): Promise<Seen> {
  const startedAt = performance.now();
  const child = spawn(file, args, {
    env: bench.env,
    cwd: bench.workspace,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let firstMs: number | null = null;
  let peakKibibytes = 0;
  const look = setInterval(() => {
    peakKibibytes = Math.max(peakKibibytes, peakOf(child.pid ?? 0));
  }, HWM_LOOK_MS);
  child.stdout.on('data', () => {
    firstMs ??= performance.now() - startedAt;
    if (until === 'first') child.stdout.destroy();
  });
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', (code, signal) => {
    if (code === 0 && firstMs !== null) resolve();
    else reject(new Error(`${file} ${args.join(' ')} ended with ${code ?? signal}`));
  });
  try {
    await closed;
  } finally {
    clearInterval(look);
  }
  return {
    firstMs: firstMs ?? 0,
    totalMs: performance.now() - startedAt,
    peakMebibytes: peakKibibytes / 1024,
  };
}

/** 0 when it has just ended. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ESRCH') throw error;
    return 0;
  }
}

/** What four steps at once would leave: four parts each, in pieces of the size of a pipe. */
function writeLogs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const begin = Date.now() - 3_600_000;
  const names = Array.from({ length: LOGS }, (_, index) => `step-1-${index + 1}`);
  for (const name of names) {
    let at = begin;
    for (let part = 0, start = 0; part < PARTS; part += 1) {
      const base = join(folder, part === 0 ? name : `${name}.${start}`);
      const log = openSync(`${base}.log`, 'w');
      let index = '';
      for (let size = 0; size < PART_BYTES; size += PIECE.length, start += PIECE.length) {
        writeSync(log, PIECE);
        index += `${at} o ${PIECE.length}\n`;
        at += 10;
      }
      closeSync(log);
      writeFileSync(`${base}.idx`, index);
    }
  }
  writeFileSync(
    join(folder, 'logs.jsonl'),
    names.map((file) => `${JSON.stringify({ path: file, attempt: 1, file, at: begin })}\n`).join(''),
  );
}
