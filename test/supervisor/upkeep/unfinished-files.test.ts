import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readUnfinished, writeDurably } from '../../../src/protocol/durable-file.ts';
import { type Home, locateHome, prepareHome } from '../../../src/protocol/home.ts';
import { sweepUnfinished } from '../../../src/supervisor/upkeep/unfinished-files.ts';
import { fakeContext } from '../fake-context.ts';

/** Above the largest number that the kernel gives. */
const NOBODY = 4_194_305;

let folder: string;
let home: Home;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-unfinished-'));
  home = locateHome({ Q_WORKFLOW_HOME: folder });
  prepareHome(home);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what a crash left of files that were put in place is removed, and nothing else', () => {
  mkdirSync(home.archiveFolder);
  writeDurably(home.drillFile, 'whole');
  writeDurably(join(home.killFolder, 'a'.repeat(64)), 'whole');
  for (const file of [home.drillFile, join(home.archiveFolder, '.age'), join(home.keysFolder, 'mask.key')])
    writeFileSync(`${file}.${NOBODY}.new`, 'half');
  writeFileSync(join(home.killFolder, `${'a'.repeat(64)}.${process.pid}.new`), 'being written');
  writeFileSync(join(folder, 'mine.new'), 'of a person');
  const { context, said } = fakeContext({});
  sweepUnfinished({ ...context, home });
  assert.deepEqual(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .toSorted(),
    ['a'.repeat(64), `${'a'.repeat(64)}.${process.pid}.new`, 'kill-drill.json', 'mine.new'],
  );
  assert.deepEqual(said, []);
});

test('a file that cannot be put in place leaves nothing beside it', () => {
  mkdirSync(home.drillFile);
  assert.throws(() => writeDurably(home.drillFile, 'text'), { code: 'EISDIR' });
  assert.deepEqual(
    readdirSync(folder).filter((name) => readUnfinished(name) !== null),
    [],
  );
});
