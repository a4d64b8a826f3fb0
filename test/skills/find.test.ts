import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { findSkills } from '../../src/skills/find.ts';
import { skillReport } from '../../src/skills/report.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'q-find-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const find = () =>
  findSkills({
    workspace: join(root, 'ws'),
    home: join(root, 'home'),
    configDir: join(root, 'config'),
    systemDir: join(root, 'system'),
  });

function put(path: string, name: string, more: object = {}): void {
  write(path, JSON.stringify({ name, type: 'prompt_inline', prompt: path, ...more }));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('only the first shared folder counts, and the workspace wins over it', () => {
  put('home/.q-skills/a.json', 'a');
  put('home/.q-skills/b.json', 'b');
  put('system/c.json', 'c');
  put('ws/.q-skills/b.json', 'b');
  const skills = find();
  assert.deepEqual(
    skills.list().map((skill) => [skill.name, skill.promptTemplate]),
    [
      ['a', 'home/.q-skills/a.json'],
      ['b', 'ws/.q-skills/b.json'],
    ],
  );
  put('config/q-cli/skills/c.json', 'c');
  assert.deepEqual(
    find()
      .list()
      .map((skill) => skill.name),
    ['b', 'c'],
  );
});

test('a skill is found by its alias, and a name wins over an alias', () => {
  put('ws/.q-skills/a.json', 'fetch-data', { aliases: ['fetch', 'other'] });
  put('ws/.q-skills/b.json', 'other');
  const skills = find();
  assert.equal(skills.get('fetch')?.name, 'fetch-data');
  assert.equal(skills.get('other')?.name, 'other');
  assert.equal(skills.get('gone'), null);
  assert.equal(skills.nearest('fecth-data'), 'fetch-data');
  assert.match(skills.notes[0]?.message ?? '', /alias "other" is the name of the skill in/);
});

test('a broken file stops no other, and hides a namesake that would run in its place', () => {
  put('home/.q-skills/deploy.json', 'deploy');
  write('ws/.q-skills/deploy.json', '{ "name": ');
  mkdirSync(join(root, 'ws/.q-skills/folder.json'));
  write('ws/.q-skills/readme.md', 'no skill');
  put('ws/.q-skills/z.json', 'z');
  const skills = find();
  assert.equal(skills.get('deploy')?.problems.length, 1);
  assert.equal(skills.get('z')?.problems.length, 0);
  assert.deepEqual(
    skills.notes.map((note) => note.severity),
    ['error', 'warning'],
  );
  assert.match(skills.notes[1]?.message ?? '', /no regular file/);
  assert.deepEqual(
    skillReport(skills).map((row) => [row.name, row.isUsable, row.notes.length]),
    [
      ['deploy', false, 1],
      ['z', true, 0],
    ],
  );
});

test('a name taken twice in one folder is a note, and the first file is used', () => {
  put('ws/.q-skills/1.json', 'same');
  put('ws/.q-skills/2.json', 'same');
  const skills = find();
  assert.equal(skills.get('same')?.promptTemplate, 'ws/.q-skills/1.json');
  assert.match(
    skills.notes[0]?.message ?? '',
    /the name "same" is taken twice: .*1\.json is used, .*2\.json is not/,
  );
});

test('no folder at all is no error', () => {
  assert.deepEqual([find().list(), find().notes], [[], []]);
});

test('a link in the place of the workspace’s folder counts as where it leads, so that a step which turns it changes nothing', () => {
  put('shared/a.json', 'a');
  mkdirSync(join(root, 'ws'));
  symlinkSync('../shared', join(root, 'ws/.q-skills'));
  assert.equal(find().get('a')?.file, join(realpathSync(root), 'shared/a.json'));
  rmSync(join(root, 'shared'), { recursive: true });
  assert.deepEqual(find().list(), []);
});

test('a folder that a step has filled is not read to its end, and that is said', () => {
  for (let index = 0; index < 2002; index += 1)
    put(`ws/.q-skills/s${String(index).padStart(4, '0')}.json`, `x${index}`);
  const { notes } = find();
  assert.equal(find().list().length, 2000);
  const said = 'has more than 2000 files or 16 MiB: s2000.json and what comes after it is left out';
  assert.equal(notes.at(-1)?.message, said);
});
