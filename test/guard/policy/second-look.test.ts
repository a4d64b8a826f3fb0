/** Some 3,600 calls: of people who know their tools, and what ordinary work looks like beside them. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verdictIn } from '../../setup/policies.ts';
import { attempts, policyNamed } from '../bypasses/second-look.ts';

let base: string;
let workspace: string;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'qw-second-look-'));
  workspace = join(base, 'ws');
  for (const folder of [
    'src',
    'sub',
    '.git/hooks',
    'srcx',
    '../outside',
    'made/objects',
    'made/refs',
    'made/tree',
  ])
    mkdirSync(join(workspace, folder), { recursive: true });
  const files =
    '.env src/a.ts src/.env a b list package.json ../outside/secret .git/config README.md srcx/a made/HEAD made/config';
  for (const file of files.split(' ')) writeFileSync(join(workspace, file), 'x');
  symlinkSync('../outside', join(workspace, 'out'));
  symlinkSync('../../outside', join(workspace, 'sub/out'));
  symlinkSync('../.env', join(workspace, 'sub/envlink'));
  symlinkSync('/etc/passwd', join(workspace, 'passwd'));
  linkSync(join(workspace, '.env'), join(workspace, 'hardenv'));
});

after(() => rmSync(base, { recursive: true }));

test('each attempt is decided as its line says', async () => {
  const sets = new Map<string, Awaited<ReturnType<typeof policyNamed>>>();
  const all = attempts(workspace);
  assert.ok(all.length > 3500);
  const wrong: string[] = [];
  for (const { policies, expected, tool, args } of all)
    for (const name of policies) {
      const set = sets.get(name) ?? (await policyNamed(name));
      sets.set(name, set);
      const { decision } = verdictIn(workspace, set, tool, args);
      const isRight = expected === 'not allow' ? decision !== 'allow' : decision === expected;
      if (!isRight) wrong.push(JSON.stringify([name, expected, decision, tool, args]));
    }
  assert.deepEqual(wrong, []);
});
