import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import { externalise, internalise, sweepBlobs } from '../../src/instance/blobs.ts';

const NONE: ReadonlySet<string> = new Set();

describe('large values of events', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-blobs-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const completed = (result: Json, writes: JsonObject = {}): RunEvent => ({
    type: 'step.completed',
    path: 'a',
    attempt: 1,
    result,
    writes,
  });
  const text = 'ü'.repeat(300_000);

  test('a result, a write and inputs over 256 KiB leave the event short and come back as they were', () => {
    const event = completed({ text }, { small: 1, large: text });
    const short = externalise(folder, event);
    assert.ok(JSON.stringify(short).length < 1000);
    assert.deepEqual(internalise(folder, short, NONE), event);
    const started: RunEvent = {
      type: 'step.started',
      path: 'a',
      stepType: 'skill',
      attempt: 1,
      inputs: { text },
    };
    assert.ok(JSON.stringify(externalise(folder, started)).length < 1000);
  });

  test('many values that are long only together are put away one by one', () => {
    const writes = Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`v${n}`, `${n}`.padEnd(5000, 'x')]),
    );
    const event = completed({}, writes);
    const short = externalise(folder, event);
    assert.ok(JSON.stringify(short).length < 20_000);
    assert.deepEqual(internalise(folder, short, NONE), event);
  });

  test('what a killed process left of a file is removed by the next, files that are whole stay', () => {
    externalise(folder, completed({ text }));
    const before = readdirSync(folder);
    writeFileSync(join(folder, `blob-${'a'.repeat(64)}.json.tmp`), 'half');
    writeFileSync(join(folder, 'step-1-1.tmp'), 'of a step');
    sweepBlobs(folder);
    assert.deepEqual(readdirSync(folder).toSorted(), [...before, 'step-1-1.tmp'].toSorted());
    rmSync(join(folder, 'step-1-1.tmp'));
  });

  test('one value is kept once', () => {
    const before = readdirSync(folder).length;
    externalise(folder, completed({ once: text }));
    externalise(folder, completed({ once: text }));
    assert.equal(readdirSync(folder).length, before + 1);
  });

  test('what a skill made look like a reference of ours comes back as it was', () => {
    const forged = { $blob: 'a'.repeat(64), bytes: 3 };
    const event = completed(forged, { value: forged });
    assert.deepEqual(internalise(folder, externalise(folder, event), NONE), event);
  });

  test('a damaged file is INTERNAL with the step', () => {
    const short = externalise(folder, completed({ text }));
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    assert.throws(() => internalise(folder, short, NONE), {
      code: 'INTERNAL',
      message: 'the stored result of step a cannot be read: ENOENT',
    });
  });
});
