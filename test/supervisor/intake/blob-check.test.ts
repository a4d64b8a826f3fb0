import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Json, JsonObject } from '../../../src/definition/workflow.ts';
import { checkBlob } from '../../../src/supervisor/intake/blob-check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-blob-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const TEXT = '"large"';
const HASH = createHash('sha256').update(TEXT).digest('hex');
const REF = { $blob: HASH, bytes: TEXT.length };
const file = (): string => join(folder, `blob-${HASH}.json`);
const check = (result: Json, writes: JsonObject = {}): Promise<void> =>
  checkBlob(folder, {
    seq: 1,
    at: 0,
    event: { type: 'step.completed', path: 'a', attempt: 1, result, writes },
  });

test('a stored value that is what its hash says passes, as a result and as a context value', async () => {
  writeFileSync(file(), TEXT);
  await check(REF, { big: REF });
  await check({ small: 1 }, { n: 2 });
});

test('a stored value that was changed is refused by its name', async () => {
  writeFileSync(file(), '"other"');
  await assert.rejects(check(REF), { message: 'the stored result of step a is not what its hash says' });
  await assert.rejects(check({}, { big: REF }), {
    message: 'the stored context value big of step a is not what its hash says',
  });
});

test('a link in the place of the file is not followed, and a second name is refused', async () => {
  writeFileSync(join(folder, 'elsewhere'), TEXT);
  symlinkSync(join(folder, 'elsewhere'), file());
  await assert.rejects(
    check(REF),
    /^WorkflowError: the stored result of step a cannot be read: it cannot be opened: ELOOP/,
  );
  rmSync(file());
  linkSync(join(folder, 'elsewhere'), file());
  await assert.rejects(check(REF), {
    message: 'the stored result of step a cannot be read: it is no regular file with one name',
  });
});
