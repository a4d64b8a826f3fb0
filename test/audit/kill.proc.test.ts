import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyAudit } from '../../src/audit/verify/verify.ts';
import { openWriter } from '../../src/store/writer.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';
const KILLS = isSoak ? 1000 : 60;
/** The moments of the kills are drawn from this; printed with a failure. */
const SEED = 20_261_125;

test(`no acknowledged record is lost in ${KILLS} kills of the writer, and the chain stays whole`, {
  timeout: 5_400_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-kill-'));
  const file = join(folder, 'q-workflow.db');
  try {
    const draw = randomSource(SEED);
    let acknowledged = 0;
    for (let turn = 0; turn < KILLS; turn += 1) {
      const told = await writeUntilKilled(file, 1 + Math.floor(draw() * 40));
      assert.ok(told > acknowledged, `kill ${turn} of seed ${SEED}: nothing was written`);
      // The next writer goes on from there.
      const writer = openWriter(file, 'boot');
      const { seq } = writer.takeProgress();
      writer.close();
      assert.ok(seq >= told, `kill ${turn} of seed ${SEED}: ${told - seq} rows lost`);
      acknowledged = seq;
      // What was whole stays so: records are only appended.
      if (turn % 50 === 49 || turn === KILLS - 1)
        assert.deepEqual(verify(folder, file), [seq, []], `kill ${turn} of seed ${SEED}`);
    }
    process.stderr.write(`${acknowledged} records over ${KILLS} kills\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The last record, and what is wrong with the log. */
function verify(folder: string, file: string): unknown[] {
  const report = verifyAudit({
    database: file,
    home: folder,
    keysFolder: join(folder, 'keys'),
    anchor: join(folder, 'none'),
    key: null,
    from: 1,
    env: {},
  });
  return [report.last_seq, report.problems];
}

/** Starts a writer and kills it after so many acknowledgements; answers the last record that it acknowledged. */
function writeUntilKilled(file: string, acks: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [
      '--no-warnings',
      join(import.meta.dirname, 'writing-child.ts'),
      file,
    ]);
    let text = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.split('\n').length > acks) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('close', (code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself (${code}): ${said}`));
      else resolve(Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)));
    });
  });
}

/** mulberry32. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
