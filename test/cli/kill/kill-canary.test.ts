import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { makeCanary } from '../../../src/cli/kill/kill-canary.ts';

test('a drill removes what killed ones left, and neither what may be in use nor what is none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-canary-'));
  const before = process.env['TMPDIR'];
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true });
  });
  process.env['TMPDIR'] = folder;
  for (const name of ['q-workflow-drill-old', 'q-workflow-drill-young', 'other', 'mine'])
    mkdirSync(join(folder, name, 'inner'), { recursive: true });
  symlinkSync(join(folder, 'mine'), join(folder, 'q-workflow-drill-link'));
  for (const name of ['q-workflow-drill-old', 'other', 'mine']) utimesSync(join(folder, name), 1, 1);
  const canary = makeCanary();
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    [
      'mine',
      'other',
      'q-workflow-drill-link',
      'q-workflow-drill-young',
      basename(canary.workspace),
    ].toSorted(),
  );
  assert.equal(existsSync(join(folder, 'mine', 'inner')), true);
  canary.remove();
});
