import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gitIdentity } from '../../../src/supervisor/sandboxes/git-identity.ts';

const ME = '[user]\n\tname = "Ann Lee"\n\temail = "ann@example.com"\n';

test('who commits is all that is taken out of a configuration of git', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'qw-identity-'));
  t.after(() => rmSync(home, { recursive: true }));
  const read = (text: string): string | null => {
    writeFileSync(join(home, '.gitconfig'), text);
    return gitIdentity(home);
  };
  assert.equal(gitIdentity(home), null);
  assert.equal(read('[user]\nname = Ann Lee\nemail = ann@example.com\n'), ME);
  assert.equal(
    read(
      '[core]\n\tpager = id\n[USER]\n\tName="Ann Lee" # me\n email = ann@example.com ; mine\n[alias]\n name = x\n',
    ),
    ME,
  );
  assert.equal(read('[user]\nname = Old\nname = Ann Lee\nemail=ann@example.com\nsigningkey = K\n'), ME);
  assert.equal(
    read('[user]\nname = "A \\"b\\" c"\nemail = a@b\n'),
    '[user]\n\tname = "A \\"b\\" c"\n\temail = "a@b"\n',
  );
  for (const text of [
    '[user]\nname = Ann Lee\n',
    '[user "x"]\nname = Ann Lee\nemail = ann@example.com\n',
    '[user]\nname = Ann \\\nemail = a@b\n',
    '[user]\nname = "Ann\\nLee"\nemail = a@b\n',
    '[include]\npath = /etc/passwd\n',
  ])
    assert.equal(read(text), null, text);
});

test('the file of a home counts before that of its configuration folder, and only files of its owner', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'qw-identity-'));
  t.after(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, '.config/git'), { recursive: true });
  writeFileSync(join(home, '.config/git/config'), '[user]\nname = Other\nemail = ann@example.com\n');
  writeFileSync(join(home, 'dotfile'), '[user]\nname = Ann Lee\n');
  symlinkSync('dotfile', join(home, '.gitconfig'));
  assert.equal(gitIdentity(home), ME);
  rmSync(join(home, '.gitconfig'));
  mkdirSync(join(home, '.gitconfig'));
  assert.equal(gitIdentity(home), ME.replace('Ann Lee', 'Other'));
});
