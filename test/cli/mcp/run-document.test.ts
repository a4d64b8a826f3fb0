import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RUN_RESULT, runAnswer } from '../../../src/cli/mcp/run-document.ts';
import type { StatusDocument, StepDocument } from '../../../src/protocol/control.ts';

const step = (path: string, more: Partial<StepDocument> = {}): StepDocument => ({
  path,
  id: path,
  type: 'skill',
  status: 'completed',
  attempts: 1,
  started_at: null,
  ended_at: null,
  outputs: null,
  error: null,
  approvals: [],
  ...more,
});

const run = (steps: readonly StepDocument[], more: Partial<StatusDocument> = {}): StatusDocument => ({
  id: '0123456789',
  workflow: 'w',
  version: '1.0.0',
  definition: '0'.repeat(64),
  status: 'completed',
  reason: null,
  paused: null,
  started_at: null,
  ended_at: null,
  created_at: '2026-01-01T00:00:00.000Z',
  workspace: '/ws',
  inputs: {},
  steps,
  context: {},
  isolation: null,
  limits: { max_memory_mb: 1, max_cpu_percent: 1, max_processes: 1, max_io_mb_per_s: null },
  usage: null,
  limits_hit: [],
  incarnations: 1,
  pid: null,
  notice: null,
  error: null,
  ...more,
});

interface Shown {
  readonly steps: readonly { path: string; outputs: unknown }[];
  readonly steps_left_out: number;
  readonly waits_for_approvals: readonly number[];
}

describe('a run as a model gets it', () => {
  test('has all the fields that its schema promises', () => {
    assert.deepEqual(Object.keys(runAnswer(run([])).data).sort(), Object.keys(RUN_RESULT).sort());
  });

  test('small outputs are whole, also in the text; large ones are cut and say so', () => {
    const { data, text } = runAnswer(
      run([step('a', { outputs: { n: 1 } }), step('b', { outputs: 'x'.repeat(10_000) })]),
    );
    const [a, b] = (data as Shown).steps;
    assert.deepEqual(a?.outputs, { n: 1 });
    assert.deepEqual(b?.outputs, { $cut: `"${'x'.repeat(4095)}`, characters: 10_002 });
    assert.match(text, /\noutputs\n {2}a: \{"n":1\}\n/);
  });

  test('many outputs together have a bound, and the last steps get the room', () => {
    const steps = Array.from({ length: 300 }, (_, at) => step(`s${at}`, { outputs: 'y'.repeat(2000) }));
    const { data, text } = runAnswer(run(steps));
    const shown = data as Shown;
    assert.deepEqual([shown.steps.length, shown.steps_left_out], [100, 200]);
    assert.equal(shown.steps.at(-1)?.outputs, 'y'.repeat(2000));
    assert.deepEqual(shown.steps[0]?.outputs, { $cut: '', characters: 2002 });
    assert.ok(JSON.stringify(data).length < 60_000 && text.length < 60_000);
    assert.match(text, /\n200 earlier steps are left out\.\n/);
  });

  test('what waits for a person is said, and that no tool can decide it', () => {
    const { data, text } = runAnswer(
      run([step('a', { status: 'waiting', approvals: [3] })], { status: 'waiting' }),
    );
    assert.deepEqual((data as Shown).waits_for_approvals, [3]);
    assert.match(
      text,
      /You cannot approve it\.\nIt goes on by itself\. Ask again with instance_status, id 0123456789\.$/,
    );
  });
});
