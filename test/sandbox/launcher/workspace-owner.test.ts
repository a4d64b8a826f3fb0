import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { workspaceOwner } from '../../../sandbox/launcher/workspace-owner.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can make folders and links of somebody else';
const ANN = 12_345;
const BOB = 12_346;
let base = '';

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'q-owner-')));
  chmodSync(base, 0o755);
  for (const folder of ['ann', 'shared', 'home/.ssh']) mkdirSync(join(base, folder), { recursive: true });
  chownSync(join(base, 'ann'), ANN, ANN);
});
afterEach(() => rmSync(base, { recursive: true }));

function link(name: string, to: string, uid = process.getuid?.() ?? 0): string {
  const path = join(base, name);
  symlinkSync(to, path);
  lchownSync(path, uid, uid);
  return path;
}

/** As `uid`, or what is wrong, with the temporary folder left out. */
function look(path: string): number | string | null {
  const owner = workspaceOwner(path);
  return owner?.fault?.replaceAll(base, '') ?? owner?.uid ?? null;
}

test('a link to what a home keeps private is no way to a workspace, its own path is', () => {
  mkdirSync(join(base, 'home/.kube/site'), { recursive: true });
  const keys = link('keys', 'home/.ssh');
  assert.equal(look(keys), 'the workspace /keys leads to /home/.ssh, which a home keeps private');
  assert.equal(look(join(base, 'home/.kube/site')), process.getuid?.());
});

test('what is not there has no owner', () => {
  assert.equal(look(join(base, 'gone')), null);
  assert.equal(look(link('round', 'round')), null);
});

describe('a workspace of another user', { skip }, () => {
  test('has its own owner, also by links of root and of that owner', () => {
    assert.equal(look(join(base, 'ann')), ANN);
    assert.equal(look(link('by-root', 'ann')), ANN);
    assert.equal(look(link('by-ann', 'by-root', ANN)), ANN);
    assert.equal(look(join(base, 'ann/../by-ann/.')), ANN);
  });

  test('is none by a link of somebody else, wherever it stands on the way', () => {
    const said = (path: string): string => `${path}, on the way to the workspace, is a link of somebody else`;
    assert.equal(look(link('ann/shared', '../shared', ANN)), said('/ann/shared'));
    assert.equal(look(link('over', 'ann/shared')), said('/ann/shared'));
    assert.equal(look(link('by-bob', 'ann', BOB)), said('/by-bob'));
    mkdirSync(join(base, 'shared/inner'));
    assert.equal(look(join(base, 'ann/shared/inner')), said('/ann/shared'));
  });
});
