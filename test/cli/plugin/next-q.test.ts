import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { nextQ, PASSED_ON_VARIABLE, passedOn } from '../../../src/cli/plugin/next-q.ts';

const base = mkdtempSync(join(tmpdir(), 'qw-next-'));
after(() => rmSync(base, { recursive: true }));

function program(folder: string, mode = 0o755): string {
  mkdirSync(join(base, folder), { recursive: true });
  const file = join(base, folder, 'q');
  writeFileSync(file, '');
  chmodSync(file, mode);
  return file;
}

const own = program('own');
const real = program('real');
program('plain', 0o644);
mkdirSync(join(base, 'folder', 'q'), { recursive: true });
mkdirSync(join(base, 'linked'));
symlinkSync(own, join(base, 'linked', 'q'));
const path = (...names: readonly string[]): NodeJS.ProcessEnv => ({
  PATH: names.map((name) => (name === '.' ? name : join(base, name))).join(delimiter),
});

test('the first q of the PATH that is not our own is found, also behind a link to our own', () => {
  assert.equal(nextQ(path('missing', 'own', 'linked', 'real'), [own]), real);
  assert.equal(nextQ(path('real', 'own'), [own]), real);
});

test('a folder, a file that cannot be run and a relative folder of the PATH count for nothing', () => {
  assert.equal(nextQ(path('folder', 'plain', '.', 'real'), [own]), real);
  assert.equal(nextQ(path('folder', 'plain', '.'), [own]), null);
  assert.equal(nextQ({}, [own]), null);
});

test('a command line that came back eight times is passed on no more', () => {
  let env: NodeJS.ProcessEnv = path('real');
  for (let count = 0; count < 8; count += 1) {
    assert.equal(nextQ(env, [own]), real);
    env = passedOn(env);
  }
  assert.equal(env[PASSED_ON_VARIABLE], '8');
  assert.equal(nextQ(env, [own]), null);
  assert.equal(nextQ({ ...env, [PASSED_ON_VARIABLE]: 'nonsense' }, [own]), real);
});
