import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ToolsRequest, toolsView } from '../../../sandbox/launcher/tools-view.ts';

const skip = process.platform === 'linux' ? false : 'sandboxes are for Linux';
let base = '';

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'q-tools-')));
  for (const folder of ['ws', 'home', 'other/bin', 'other/lib'])
    mkdirSync(join(base, folder), { recursive: true });
});
afterEach(() => rmSync(base, { recursive: true }));

/** What is mounted, as `kind path`, with the temporary folder left out. */
function view(more: Partial<ToolsRequest>): string[] {
  const request = { path: '', files: [], folders: [], seen: ['/usr'], hidden: [], user: null };
  return toolsView({ ...request, homes: [join(base, 'home')], workspace: join(base, 'ws'), ...more }).map(
    (mount) =>
      `${mount.kind} ${mount.target.replace(base, '')}${mount.kind === 'link' ? ` to ${mount.to.replace(base, '')}` : ''}`,
  );
}

function put(...path: string[]): string {
  const file = join(base, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

test('what the kernel makes up is no tool: a step has its own', { skip }, () => {
  const files = [
    '/proc/self/mountinfo',
    '/proc/meminfo',
    '/proc/1/root/usr/bin/env',
    '/sys/kernel/mm',
    '/dev/null',
  ];
  assert.deepEqual(view({ files, path: '/proc/self/cwd:/dev/fd' }), []);
});

describe('the workspace, which steps write', { skip }, () => {
  test('shows nothing of itself as a tool', () => {
    const file = put('ws/.q-skills/a.json');
    put('ws/.venv/bin/python');
    assert.deepEqual(view({ path: join(base, 'ws/.venv/bin'), files: [file] }), []);
  });

  test('leads nowhere by a link in the place of a folder on PATH, of the skills or of a script', () => {
    const secret = put('home/.ours/id');
    for (const name of ['.venv', '.q-skills', 'scripts'])
      symlinkSync(dirname(secret), join(base, 'ws', name));
    symlinkSync('scripts', join(base, 'ws/again'));
    symlinkSync(join(base, 'ws/again'), join(base, 'other/by'));
    const ways = ['ws/.venv', 'ws/.q-skills', 'ws/scripts/../again', 'other/by', 'other/../ws/again'];
    for (const way of ways.map((path) => join(base, path)))
      assert.deepEqual(view({ path: way, files: [`${way}/id`], folders: [way] }), [], way);
    // The same folder by a way that no step can turn is a tool.
    assert.deepEqual(view({ path: dirname(secret) }), ['show /home/.ours']);
  });

  test('is a link to what is in view of it where a path from elsewhere leads into it', () => {
    mkdirSync(join(base, 'ws/.venv/bin'), { recursive: true });
    symlinkSync(join(base, 'ws'), join(base, 'by'));
    const path = join(base, 'by/.venv/bin');
    assert.deepEqual(view({ path }), ['link /by/.venv to /ws/.venv']);
    renameSync(join(base, 'ws/.venv'), join(base, 'ws/gone'));
    symlinkSync(join(base, 'other'), join(base, 'ws/.venv'));
    assert.deepEqual(view({ path }), []);
  });

  test('does not keep a link elsewhere from being followed', () => {
    symlinkSync('other', join(base, 'current'));
    assert.deepEqual(view({ path: join(base, 'current/bin') }), ['show /current', 'show /other']);
  });

  test('is left alone by links that go round', () => {
    symlinkSync('b', join(base, 'a'));
    symlinkSync('a', join(base, 'b'));
    assert.deepEqual(view({ path: join(base, 'a') }), []);
  });
});

describe('what a home keeps private', { skip }, () => {
  test('is no tool, whoever names it and whoever’s home it is', () => {
    const files = ['home', 'people/ann'].flatMap((home) =>
      ['.ssh/id', '.config/gh/hosts.yml', '.netrc', '.aws/credentials'].map((name) => put(home, name)),
    );
    const path = [join(base, 'home/.ssh'), join(base, 'people/ann/.gnupg/bin')];
    mkdirSync(path[1] ?? '', { recursive: true });
    symlinkSync('.ssh', join(base, 'people/ann/keys'));
    const shown = view({ files, path: [...path, join(base, 'people/ann/keys')].join(':') });
    // Of a folder around it the rest is shown.
    for (const target of shown.filter((each) => each.startsWith('show ')))
      assert.equal(target, 'show /people/ann');
  });

  test('is covered in a folder that is shown around it', () => {
    for (const name of ['.ssh/id', '.netrc', '.config/gh/hosts.yml', 'run.sh']) put('people/ann', name);
    const around = view({ files: [join(base, 'people/ann/run.sh')] });
    const covers = ['empty /people/ann/.ssh', 'seal /people/ann/.ssh', 'mask /people/ann/.netrc'];
    for (const cover of ['show /people/ann', ...covers, 'empty /people/ann/.config/gh'])
      assert.ok(around.includes(cover), `${cover} in ${around.join(', ')}`);
    const config = view({ path: join(base, 'people/ann/.config') });
    assert.deepEqual(config, [
      'show /people/ann/.config',
      'empty /people/ann/.config/gh',
      'seal /people/ann/.config/gh',
    ]);
  });

  test('is covered in a program folder too', () => {
    put('home/.cargo/bin/cargo');
    put('home/.cargo/credentials.toml');
    assert.deepEqual(view({ path: join(base, 'home/.cargo/bin') }), [
      'show /home/.cargo',
      'mask /home/.cargo/credentials.toml',
    ]);
  });
});
