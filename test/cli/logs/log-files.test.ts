import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listLogs } from '../../../src/cli/logs/log-files.ts';
import { openStepLog } from '../../../src/instance/step-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const begin = async (file: string): Promise<void> =>
  (await openStepLog(folder, file, 'a', 1, new AbortController().signal)).close();
const files = (): string[] => listLogs(folder).logs.map(({ file }) => file);

test('an entry that a crash cut in the list of logs is passed over, and spoils none behind it', async () => {
  assert.deepEqual(files(), []);
  await begin('step-1-1');
  appendFileSync(join(folder, 'logs.jsonl'), '{"path":"a","att');
  assert.deepEqual(files(), ['step-1-1']);
  await begin('step-2-1');
  await begin('step-2-2');
  assert.deepEqual(files(), ['step-1-1', 'step-2-1', 'step-2-2']);
});

test('a list that begins with a cut entry is read', async () => {
  await begin('step-1-1');
  truncateSync(join(folder, 'logs.jsonl'), 5);
  await begin('step-2-1');
  assert.deepEqual(files(), ['step-2-1']);
});
