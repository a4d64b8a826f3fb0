import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { readCommand } from '../../../src/guard/command/read-command.ts';
import { SHELL_BYPASSES } from '../bypasses/shell.ts';
import { nested } from './nesting.ts';
import { maySee } from './support.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;
const skip = hasBash ? false : 'needs bash';

/** Each case starts a shell: a few in every run, many in a soak. */
const CASES = process.env['Q_TEST_SOAK'] === undefined ? 120 : 3000;

function isValidBash(source: string): boolean {
  return spawnSync('bash', ['--noprofile', '--norc', '-n'], { input: source, timeout: 20_000 }).status === 0;
}

test('what bash calls a syntax error is a problem', { skip }, () => {
  const sources = [
    ...SHELL_BYPASSES.map(({ command }) => command),
    ...fc.sample(nested, { numRuns: CASES, seed: 1 }).map(({ source }) => source),
  ];
  let invalid = 0;
  const check = (source: string) => {
    if (isValidBash(source)) return;
    invalid++;
    assert.notDeepEqual(readCommand(source).problems, [], `bash refuses ${JSON.stringify(source)}`);
  };
  for (const source of sources) check(source);
  // The same with one character taken out or put in.
  const damage = fc.record({
    source: fc.constantFrom(...sources),
    at: fc.nat(200),
    put: fc.constantFrom(
      '',
      '(',
      ')',
      '{',
      '}',
      "'",
      '"',
      '`',
      '\\',
      '|',
      '&',
      ';',
      '<',
      '>',
      '$',
      '#',
      '\n',
    ),
  });
  for (const { source, at, put } of fc.sample(damage, { numRuns: CASES * 2, seed: 2 })) {
    const index = at % Math.max(1, source.length);
    check(source.slice(0, index) + put + source.slice(index + (put === '' ? 1 : 0)));
  }
  assert.ok(invalid > CASES / 2, `only ${invalid} were refused by bash: the comparison says little`);
});

test('what bash accepts is readable', { skip }, () => {
  for (const { source } of fc.sample(nested, { numRuns: CASES, seed: 4 })) {
    assert.ok(isValidBash(source), `bash refuses ${JSON.stringify(source)}`);
    const unreadable = readCommand(source).problems.filter((problem) => problem.startsWith('not readable'));
    assert.deepEqual(unreadable, [], source);
  }
});

test('what bash in fact runs is seen, or the reading says that it is unsure', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'q-marker-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'log');
  writeFileSync(join(folder, 'marker'), '#!/bin/sh\nprintf "%s\\n" "$*" >>"$LOG"\n');
  chmodSync(join(folder, 'marker'), 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin`, LOG: log, HOME: folder };
  let ran = 0;
  for (const { source } of fc.sample(nested, { numRuns: CASES, seed: 3 })) {
    rmSync(log, { force: true });
    spawnSync('bash', ['--noprofile', '--norc', '-c', source], {
      env,
      cwd: folder,
      input: '',
      timeout: 20_000,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    if (!existsSync(log) || !/(?:^| )now(?: |$)/m.test(readFileSync(log, 'utf8'))) continue;
    ran++;
    const reading = readCommand(source);
    assert.ok(
      maySee(reading, 'marker now') || reading.problems.length > 0,
      `bash ran the marker unseen: ${JSON.stringify(source)}`,
    );
  }
  assert.ok(ran > CASES / 2, `the marker ran in ${ran} of ${CASES} cases only`);
});
