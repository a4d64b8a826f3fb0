import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SUPERVISOR } from '../../../src/audit/record.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import { locateHome } from '../../../src/protocol/home.ts';
import { openKillSpool } from '../../../src/supervisor/guard/kill-spool.ts';
import { readSpool } from '../../../src/supervisor/spool-file.ts';
import { fakeContext } from '../fake-context.ts';

test('a line that a crash cut in the spool does not spoil the record behind it', async (t) => {
  const home = locateHome({ Q_WORKFLOW_HOME: mkdtempSync(join(tmpdir(), 'qw-spool-')) });
  t.after(() => rmSync(home.folder, { recursive: true }));
  writeFileSync(home.spoolFile, '{"type":"kill.tri');
  const { context } = fakeContext({
    'audit.append': () => {
      throw new WorkflowError('STORE_FULL', 'no room');
    },
  });
  const entry = { type: 'supervisor.stopped', at: 1, actor: SUPERVISOR, instance: null, data: {} };
  await openKillSpool({ ...context, home }).record(entry);
  const { records, rejectedCount } = readSpool(readFileSync(home.spoolFile));
  assert.deepEqual([records, rejectedCount], [[entry], 1]);
});
