import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Home, locateHome, prepareHome } from '../../../src/protocol/home.ts';
import { keepKeys, sweepKeys } from '../../../src/supervisor/definitions/model-keys.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

let folder: string;
let home: Home;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-keys-'));
  home = locateHome({ Q_WORKFLOW_HOME: folder });
  prepareHome(home);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a start removes the keys of runs that ended or never began, whole or cut short, and no others', async () => {
  for (const id of ['live', 'ended', 'never']) keepKeys(home, id, { KEY: 'k' });
  // As a kill leaves it between write and rename: the run does not exist yet.
  writeFileSync(join(home.secretsFolder, '.model-keys-cut.tmp'), '{"KEY":');
  writeFileSync(join(home.secretsFolder, 'mine'), 'a secret of a person');
  const { context, said } = fakeContext({
    'instance.get': ({ id }: { id: string }) =>
      id === 'live' || id === 'ended'
        ? { ...runningRow(id), ...(id === 'ended' ? { status: 'completed' } : {}) }
        : null,
  });
  await sweepKeys({ ...context, home });
  assert.deepEqual(readdirSync(home.secretsFolder).toSorted(), ['.model-keys-live', 'mine']);
  assert.deepEqual(said, []);
});
