import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Json } from '../../src/definition/workflow.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { checkBlob } from '../../src/supervisor/intake/blob-check.ts';
import { withValues } from '../../src/supervisor/intake/blob-values.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';

const MIB = 1024 * 1024;

describe('large values of a status document', { timeout: 20_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-values-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Ref {
    readonly $blob: string;
    readonly bytes: number;
  }
  const fileOf = (ref: Ref): string => join(folder, `blob-${ref.$blob}.json`);
  const store = (value: Json): Ref & { [key: string]: Json } => {
    const text = JSON.stringify(value);
    const ref = { $blob: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
    writeFileSync(fileOf(ref), text);
    return ref;
  };
  const step = (outputs: Json): StatusDocument['steps'][number] => ({
    path: 'a',
    id: 'a',
    type: 'skill',
    status: 'completed',
    attempts: 1,
    started_at: null,
    ended_at: null,
    outputs,
    error: null,
    approvals: [],
  });
  /** What becomes of the outputs of steps, and of the context. */
  const shown = async (
    outputs: readonly Json[],
    context: { [name: string]: Json } = {},
  ): Promise<unknown[]> => {
    const document = { steps: outputs.map(step), context };
    const made = await withValues(folder, document);
    return [made.steps.map((made) => made.outputs), made.context];
  };

  test('outputs and context are what they were, each read once', async () => {
    const text = { text: 'ü'.repeat(1000) };
    const ref = store(text);
    const deep = { inner: ref };
    assert.deepEqual(await shown([ref, { n: 1 }, null, ref, deep], { counter: 1, big: ref }), [
      [text, { n: 1 }, null, text, deep],
      { counter: 1, big: text },
    ]);
  });

  test('what looks like a reference inside a value stays as it is', async () => {
    const forged = { $blob: 'a'.repeat(64), bytes: 3 };
    assert.deepEqual(await shown([store(forged)]), [[forged], {}]);
  });

  test('8 MiB in all are taken in, and not a byte more', async () => {
    const half = store('x'.repeat(4 * MIB - 2));
    assert.deepEqual(await shown([half, half]), [['x'.repeat(4 * MIB - 2), 'x'.repeat(4 * MIB - 2)], {}]);
    const more = store('');
    assert.deepEqual(await shown([half, half], { more }), [[half, half], { more }]);
  });

  test('a file that is gone leaves its reference; one that is not what it was says so', async () => {
    const gone = store('gone');
    rmSync(fileOf(gone));
    assert.deepEqual(await shown([gone]), [[gone], {}]);
    const problem = async (ref: Ref & { [key: string]: Json }): Promise<unknown> => {
      const [[made]] = (await shown([ref])) as [[{ problem?: string }]];
      const { problem: said, ...rest } = made;
      assert.deepEqual(rest, ref);
      return said;
    };
    const changed = store('changed');
    writeFileSync(fileOf(changed), '"chanGed"');
    assert.equal(await problem(changed), 'it is not what its hash says');
    const longer = store('longer');
    writeFileSync(fileOf(longer), `"longer"${' '.repeat(100)}`);
    assert.equal(await problem(longer), 'it has not the size that was recorded');
    const linked = store('linked');
    renameSync(fileOf(linked), join(folder, 'elsewhere'));
    symlinkSync('elsewhere', fileOf(linked));
    assert.equal(await problem(linked), 'it cannot be opened: ELOOP');
    const twice = store('twice');
    linkSync(fileOf(twice), join(folder, 'second-name'));
    assert.equal(await problem(twice), 'it is no regular file with one name');
    const fifo = store('fifo');
    rmSync(fileOf(fifo));
    assert.equal(spawnSync('mkfifo', [fileOf(fifo)]).status, 0);
    assert.equal(await problem(fifo), 'it is no regular file with one name');
  });

  test('a FIFO where a result should lie is refused at once, and holds up nobody', async () => {
    const fifo = store('fifo');
    rmSync(fileOf(fifo));
    assert.equal(spawnSync('mkfifo', [fileOf(fifo)]).status, 0);
    const event = { type: 'step.completed', path: 'a', attempt: 1, result: fifo, writes: {} } as const;
    await assert.rejects(checkBlob(folder, { seq: 1, at: 1, event }), {
      code: 'INTERNAL',
      message: 'the stored result of step a cannot be read: it is no regular file with one name',
    });
  });
});

describe('a run with large values', { timeout: 60_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('print.sh', 'printf \'{"text":"%s"}\' "$(head -c "$1" /dev/zero | tr "\\0" x)"');
    bench.skill('print', { type: 'code_inline', command: 'sh', args: ['print.sh', '{size}'] });
  });
  after(() => bench.close());

  test('run --json and status --json show them up to 8 MiB, and references beyond', async () => {
    const print = (id: string): object => ({ id, type: 'skill', skill: 'print', inputs: { size: 900_000 } });
    const ids = Array.from({ length: 10 }, (_, n) => `s${n}`);
    bench.workflow('few', {
      context: { mutable: { kept: '' } },
      steps: [{ ...print('s0'), set: { kept: 's0.text' } }, print('s1')],
    });
    bench.workflow('many', { steps: ids.map(print) });
    const few = (await bench.json('run', 'few')) as StatusDocument;
    assert.equal(few.status, 'completed', few.reason ?? '');
    for (const run of [few, await bench.status(few.id)]) {
      for (const { outputs } of run.steps)
        assert.equal((outputs as { text: string }).text, 'x'.repeat(900_000));
      assert.equal(run.context['kept'], 'x'.repeat(900_000));
    }
    const many = (await bench.json('run', 'many')) as StatusDocument;
    for (const run of [many, await bench.status(many.id)])
      for (const { outputs } of run.steps)
        assert.match(JSON.stringify(outputs), /^\{"\$blob":"[0-9a-f]{64}","bytes":\d+\}$/);
  });
});
