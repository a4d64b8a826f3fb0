import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { openWriter } from '../../src/store/writer.ts';
import { type Desk, launched, openDesk } from './support.ts';

describe('a database of which only parts are left', () => {
  let desk: Desk;
  let folder: string;
  let file: string;
  beforeEach(() => {
    desk = openDesk();
    desk.batch(...launched('a'));
    folder = mkdtempSync(join(tmpdir(), 'qw-lost-'));
    file = join(folder, 'q-workflow.db');
    // As after a kill: all that was committed is in the log, and nothing but the first page in the file.
    for (const suffix of ['', '-wal']) copyFileSync(`${desk.file}${suffix}`, `${file}${suffix}`);
  });
  afterEach(() => {
    desk.close();
    rmSync(folder, { recursive: true });
  });

  const open = (): void => openWriter(file, 'boot', join(dirname(desk.file), 'keys')).close();
  const contents = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(folder)
        .filter((name) => !name.endsWith('-shm'))
        .map((name) => [name, readFileSync(join(folder, name), 'hex')]),
    );
  const refusedWith = (why: string): void => {
    const before = contents();
    assert.throws(open, (error) => {
      assert.ok(error instanceof WorkflowError);
      assert.deepEqual(
        [error.code, error.message],
        ['STORE_CORRUPT', `cannot open the database ${file}: ${why}`],
      );
      return true;
    });
    assert.deepEqual(contents(), before, 'nothing is overwritten');
  };

  test('is opened with the file and its log', () => open());

  test('is refused as an empty file, beside its log or alone', () => {
    truncateSync(file, 0);
    refusedWith('the file is empty');
    rmSync(`${file}-wal`);
    refusedWith('the file is empty');
  });

  test('is refused as a log without its file', () => {
    rmSync(file);
    refusedWith('the file is gone, and only its log q-workflow.db-wal is there');
  });

  test('is refused where the log is damaged or gone that held the tables', () => {
    const wal = readFileSync(`${file}-wal`);
    writeFileSync(`${file}-wal`, wal.fill(0x33));
    refusedWith('it has no tables: its log q-workflow.db-wal is damaged or gone');
  });

  test('is begun anew where all of it was moved away, or there never was one', () => {
    for (const suffix of ['', '-wal']) rmSync(`${file}${suffix}`);
    open();
    const fresh = join(folder, 'other.db');
    writeFileSync(fresh, '');
    openWriter(fresh, 'boot', join(folder, 'no-keys')).close();
  });
});
