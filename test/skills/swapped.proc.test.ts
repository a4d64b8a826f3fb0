/** A step that swaps a file of its workspace for a pipe, while the supervisor reads it: who opens the pipe never comes back. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
/** Renames as fast as it can: the name is a file, a pipe, a file … */
const SWAPPER = `const fs=require("node:fs");const [folder]=process.argv.slice(1);
const at=(name)=>folder+"/"+name;console.log("up");
for(;;){fs.linkSync(at("file"),at("a"));fs.renameSync(at("a"),at("skill.json"));
fs.linkSync(at("pipe"),at("b"));fs.renameSync(at("b"),at("skill.json"));}`;
const READS = 20_000;

let folder: string;
let swapper: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qw-swapped-'));
  writeFileSync(join(folder, 'file'), '{}');
  assert.equal(spawnSync('mkfifo', [join(folder, 'pipe')]).status, 0);
  writeFileSync(join(folder, 'skill.json'), '{}');
  swapper = spawn(process.execPath, ['-e', SWAPPER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (swapper.stdout !== null) await once(swapper.stdout, 'data');
});

afterEach(async () => {
  swapper.kill('SIGKILL');
  if (swapper.exitCode === null && swapper.signalCode === null) await once(swapper, 'exit');
  rmSync(folder, { recursive: true });
});

for (const [name, module, call] of [
  ['a script that is pinned', 'src/supervisor/definitions/script-pins.ts', 'm.hashScript(file)'],
  ['a skill file', 'src/skills/find.ts', 'm.findSkills(places)'],
] as const)
  test(`${name} is read though it becomes a pipe now and then`, { timeout: 120_000 }, async () => {
    const code = `const [,folder]=process.argv;const file=folder+"/skill.json";
const places={workspace:folder+"/..",configDir:folder,home:folder,systemDir:folder};
import(${JSON.stringify(join(ROOT, module))}).then((m)=>{for(let i=0;i<${READS};i++)${call};console.log("done")})`;
    const reader = spawnSync(process.execPath, ['--no-warnings', '-e', code, folder], {
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    assert.deepEqual([reader.stdout, reader.signal], ['done\n', null], reader.stderr);
  });
