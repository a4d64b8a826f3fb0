/** Variables and patterns: what bash fills in must be among what the reading says, or the reading leaves it open. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readCommand } from '../../../src/guard/command/read-command.ts';
import type { Argument } from '../../../src/guard/command/reading.ts';
import { PatternNames } from '../../../src/guard/policy/calls/file-names.ts';
import { PathReader } from '../../../src/guard/policy/calls/path-reader.ts';
import { realFiles } from '../../../src/guard/policy/files/file-facts.ts';
import { callOf } from '../../setup/policies.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;
const skip = hasBash ? false : 'needs bash';
/** Each case starts a shell: some in every run, many in a soak. */
const CASES = process.env['Q_TEST_SOAK'] === undefined ? 400 : 6000;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'q-filled-'));
  for (const name of ['s', 's/sub', 'bin', 'log']) mkdirSync(join(folder, name));
  for (const name of ['s/a.t', 's/b.t', 's/.h.t', 's/c d.t', 's/sub/e.t', 'f.t', '.g.t'])
    writeFileSync(join(folder, name), '');
  // `cat` is known to take paths; here it writes down what it is given.
  writeFileSync(
    join(folder, 'bin/cat'),
    '#!/bin/bash\nprintf "%s\\x1f" "$@" >>"$LOG"\nprintf "\\n" >>"$LOG"\n',
  );
  chmodSync(join(folder, 'bin/cat'), 0o755);
});
after(() => rmSync(folder, { recursive: true }));

const name = fc.constantFrom('v', 'w', 'x');
const value = fc.constantFrom(
  'a',
  'b/c',
  's/a.t',
  '-n',
  "'c d'",
  "''",
  's',
  '"$v"',
  '$w',
  '$(echo z)',
  "'s/*.t'",
);
const word = fc.oneof(
  fc.constantFrom(
    's/*.t',
    '*.t',
    './s/?.t',
    's/*/*.t',
    's/x*.t',
    's/.*',
    '*',
    's*/a.t',
    'plain',
    'a{1,2}',
    '"s"/*.t',
  ),
  name.map((each) => `"$${each}"`),
  name.map((each) => `$${each}`),
  name.map((each) => `"\${${each}}/y"`),
  name.map((each) => `z$${each}`),
  name.map((each) => `"\${${each}%.t}"`),
  name.map((each) => `$${each}/*.t`),
);
const show = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `cat ${words.join(' ')}`);
const set = fc.record({ of: name, to: value }).map(({ of, to }) => `${of}=${to}`);
const anySet = fc.oneof(
  { weight: 40, arbitrary: set },
  fc
    .record({ of: name, to: value, way: fc.constantFrom(...waysToSet()) })
    .map(({ of, to, way }) => way.replaceAll('NAME', of).replaceAll('VALUE', to)),
);

function waysToSet(): readonly string[] {
  return [
    'declare "NAME=q"',
    'declare NAME=VALUE',
    'read -r NAME <<< VALUE',
    'unset NAME',
    'NAME+=VALUE',
    ': ${NAME:=q}',
    'printf -v NAME %s q',
    'p=-v; printf "$p" NAME q',
    '((NAME=5))',
    'NAME=$((1+1))',
    'NAME=(q r)',
    'eval NAME=q',
    "trap 'NAME=q' DEBUG",
    'f() { NAME=q; }; f',
    'f() { local NAME=q; }; f',
    'readonly NAME; NAME=VALUE',
    'NAME=VALUE true',
    'mapfile -t NAME <<< q',
    'n=NAME; read "$n" <<< q',
    'getopts a NAME',
    'for NAME in VALUE q; do :; done',
  ];
}

const part: fc.Arbitrary<string> = fc.oneof(
  show,
  anySet,
  anySet.map((each) => `false && { ${each}; }`),
  anySet.map((each) => `true && { ${each}; }`),
  anySet.map((each) => `( ${each} )`),
  anySet.map((each) => `{ ${each}; } | true`),
  anySet.map((each) => `{ ${each}; } & wait`),
  anySet.map((each) => `if false; then ${each}; fi`),
  show.map((each) => `( ${each} )`),
  fc
    .record({
      of: name,
      list: fc.array(fc.oneof(value, word), { minLength: 1, maxLength: 2 }),
      body: show,
      more: anySet,
    })
    .map(({ of, list, body, more }) => `for ${of} in ${list.join(' ')}; do ${body}; ${more}; ${body}; done`),
  fc.record({ body: show, more: anySet }).map(({ body, more }) => `g() { ${body}; }; ${more}; g`),
);
const script = fc.array(part, { minLength: 2, maxLength: 5 }).map((parts) => parts.join('; '));

/** Null stands for any number of words. */
function mayBe([first, ...others]: readonly Argument[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0;
  if (first === null) return words.some((_, at) => mayBe(others, words.slice(at))) || mayBe(others, []);
  return words[0] === first && mayBe(others, words.slice(1));
}

test('what bash fills in is among what the reading says', { skip }, () => {
  const log = join(folder, 'log/out');
  const env = { PATH: `${folder}/bin:/usr/bin:/bin`, LOG: log, HOME: folder };
  let exact = 0;
  for (const source of fc.sample(script, { numRuns: CASES, seed: 11 })) {
    const call = callOf('execute_bash', {}, { workspace: folder, cwd: folder });
    const names = new PatternNames(new PathReader(call, realFiles(), '/home/me'), folder);
    const { commands, problems } = readCommand(source, names.files);
    if (problems.length > 0) continue;
    rmSync(log, { force: true });
    spawnSync('bash', ['--noprofile', '--norc', '-c', source], {
      env,
      cwd: folder,
      input: '',
      timeout: 20_000,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const shown = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
    const said = commands.filter(({ program }) => program === 'cat').map(({ args }) => args);
    for (const line of shown) {
      const words = line.split('\x1f').slice(0, -1);
      // Without any word printf writes one that is empty.
      const isSaid = said.some((args) => mayBe(args, words) || (words.join('') === '' && mayBe(args, [])));
      assert.ok(
        isSaid,
        `${JSON.stringify(source)} ran cat ${JSON.stringify(words)}, said ${JSON.stringify(said)}`,
      );
      if (said.every((args) => !args.includes(null)) && /[$*?]/.test(source)) exact++;
    }
  }
  // A reader that leaves all open would pass too.
  assert.ok(exact > CASES / 25, `only ${exact} were said exactly`);
});
