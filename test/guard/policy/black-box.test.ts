/** The table of `bypasses/black-box.ts`, decided as `policy explain CALL --policy FILE …` does it, over real files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { explain } from '../../../src/guard/policy/explain.ts';
import { parseCall } from '../../../src/guard/policy/files/case-file.ts';
import { type LoadedSet, loadNamedPolicies } from '../../../src/guard/policy/files/load-set.ts';
import { BLACK_BOX, BLACK_BOX_FILES } from '../bypasses/black-box.ts';

let base: string;
let workspace: string;

before(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'qw-black-box-')));
  workspace = join(base, 'ws');
  for (const folder of [
    'src/deep',
    'src/gen',
    'with space',
    '.git/hooks',
    '../outside',
    '../wsx',
    '../policies',
  ])
    mkdirSync(join(workspace, folder), { recursive: true, mode: 0o755 });
  const files = ['src/a.ts', 'src/.env', 'src/deep/b.ts', 'src/x.key', 'with space/x', '.env', 'a', 'top.ts'];
  for (const file of [...files, '../outside/secret', '../wsx/a', 'README.md', 'build.js', '\u00fcber.txt'])
    writeFileSync(join(workspace, file), 'x');
  const links = {
    link: '../outside',
    inner: 'src',
    dangling: '../outside/new',
    loop: 'loop',
    passwd: '/etc/passwd',
    envlink: 'src/.env',
    keylink: 'src/x.key',
    gitlink: '.git',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(workspace, name));
  for (const [name, policy] of Object.entries(BLACK_BOX_FILES))
    writeFileSync(fileOf(name), JSON.stringify({ apiVersion: 'policy/v1', ...(policy as object) }), {
      mode: 0o644,
    });
});

after(() => rmSync(base, { recursive: true }));

/** Names of files are no part of what is tried. */
function fileOf(name: string): string {
  return join(base, 'policies', `p${Object.keys(BLACK_BOX_FILES).indexOf(name)}.json`);
}

test(`each of ${BLACK_BOX.length} calls is decided as the documentation says`, async () => {
  const sets = new Map<string, LoadedSet>();
  const wrong: string[] = [];
  for (const [policies, wanted, tool, args, more] of BLACK_BOX) {
    const key = policies.join('; ');
    for (const name of policies) assert.ok(name in BLACK_BOX_FILES, name);
    const places = { workspace, configHome: join(base, '.config'), state: join(base, 'state') };
    const loaded = sets.get(key) ?? (await loadNamedPolicies(policies.map(fileOf), places));
    sets.set(key, loaded);
    const text = JSON.stringify({ tool, args, ...more }).replaceAll('${workspace}', () => workspace);
    const { decision, reason } = explain(loaded.set, parseCall(text), {
      workspace,
      home: base,
      environment: null,
    });
    if (decision !== wanted)
      wrong.push(`${key}: ${text.slice(0, 200)}: ${wanted} wanted, ${decision}: ${reason}`);
  }
  assert.deepEqual(wrong, []);
});
