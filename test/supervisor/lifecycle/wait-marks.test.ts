import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { locateHome } from '../../../src/protocol/home.ts';
import { openWaitMarks, sinceBoot, type WaitMarks } from '../../../src/supervisor/lifecycle/wait-marks.ts';
import { fakeContext } from '../fake-context.ts';

test('what a wait lasts yet is known to the next supervisor of the same boot, and for that wait alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-marks-'));
  try {
    const { context, said } = fakeContext({});
    let now = 1000;
    const open = (boot = 'boot'): WaitMarks =>
      openWaitMarks({ ...context, home: locateHome({ Q_WORKFLOW_HOME: folder }) }, () => now, boot);
    mkdirSync(join(folder, 'instances', 'i'), { recursive: true });
    assert.equal(open().left('i', 9), null);
    open().set('i', 9, 500);
    now = 1400;
    assert.equal(open().left('i', 9), 100);
    now = 1600;
    assert.equal(open().left('i', 9), -100);
    assert.deepEqual([open('other').left('i', 9), open().left('i', 10)], [null, null]);
    assert.deepEqual([open('').left('i', 9), said], [null, []], 'without an id of the boot nothing is known');
    writeFileSync(join(folder, 'instances', 'i', 'wait'), 'x');
    assert.equal(open().left('i', 9), null);
    open().set('gone', 9, 500);
    assert.deepEqual(said, ['warn until when a run waits could not be kept']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the clock of the boot does not begin with the process', () => {
  assert.ok(sinceBoot() > performance.now());
});
