import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { codeCacheOf, compile } from '../../scripts/build/cached-code.ts';
import { ROOT } from '../setup/bench-home.ts';

describe('the code that is kept compiled', { timeout: 60_000 }, () => {
  const codeFiles = globSync('dist/**/*.code.cjs', { cwd: ROOT }).map((file) => join(ROOT, file));
  let copy = '';
  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'qw-code-'));
    for (const name of ['dist', 'package.json', 'oclif.manifest.json'])
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  });
  after(() => rmSync(copy, { recursive: true }));

  const version = (): string =>
    execFileSync(process.execPath, [join(copy, 'dist', 'cli', 'main.cjs'), 'q', '--version'], {
      encoding: 'utf8',
    });

  test('is there for the command line, the instance and each part, and V8 takes it', () => {
    assert.ok(codeFiles.length > 10);
    for (const name of ['command-line', 'instance/main', 'openai-compatible'])
      assert.ok(
        codeFiles.some((file) => file.endsWith(`${name}.code.cjs`)),
        name,
      );
    for (const file of codeFiles)
      assert.equal(compile(file, readFileSync(codeCacheOf(file))).cachedDataRejected, false, file);
  });

  test('of the instance holds what a run runs, not only what loads the modules (half of it)', () => {
    const file = join(ROOT, 'dist', 'instance', 'main.code.cjs');
    assert.ok(statSync(codeCacheOf(file)).size > statSync(file).size);
  });

  test('is not needed: without it, with half of it and with another in its place the command runs', () => {
    const cache = codeCacheOf(join(copy, 'dist', 'cli', 'command-line.code.cjs'));
    const whole = readFileSync(cache);
    const expected = version();
    assert.match(expected, /^q-workflow\/\d/);
    for (const content of [whole.subarray(0, whole.length / 2), Buffer.from('no cache'), Buffer.alloc(0)]) {
      writeFileSync(cache, content);
      assert.equal(version(), expected);
    }
    rmSync(cache);
    assert.equal(version(), expected);
  });
});
