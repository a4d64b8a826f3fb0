import assert from 'node:assert/strict';
import test from 'node:test';
import { readArgv, readCommand } from '../../../src/guard/command/read-command.ts';
import { LIMITS } from '../../../src/guard/command/reading.ts';

const SIZE = LIMITS.sourceBytes;
const fill = (text: string, head = '', tail = '') =>
  head + text.repeat(Math.floor((SIZE - head.length - tail.length) / text.length)) + tail;
const nest = (open: string, middle: string, close: string, depth: number) =>
  open.repeat(depth) + middle + close.repeat(depth);

const HOSTILE: Readonly<Record<string, string>> = {
  'one long word': fill('a'),
  'many words': fill('a ', 'git '),
  'many commands': fill('a;'),
  'a long list': fill('a&&', '', 'a'),
  'a long pipe': fill('a|', '', 'a'),
  'nested substitutions': nest('$(', 'a', ')', 20_000),
  'nested substitutions in quotes': nest('"$(', 'a', ')"', 10_000),
  'open substitutions': fill('$('),
  parentheses: nest('(', 'a', ')', 30_000),
  groups: nest('{ ', 'a', ';}', 10_000),
  'nested ifs': nest('if a;then ', 'a', ';fi', 4000),
  'nested arithmetic': nest('$((', '1', '))', 10_000),
  'a long sum': `echo $((${fill('1+', '', '1').slice(20)}))`,
  'open parameters': fill('${', 'echo '),
  'nested defaults': nest('${a:-', 'b', '}', 10_000),
  'parameters in arithmetic': `echo $((${'${a'.repeat(15_000)}))`,
  backticks: fill('`'),
  'escaped backticks': fill('\\`', 'echo `', '`'),
  quotes: fill(`'"`),
  backslashes: fill('\\'),
  'joined lines': fill(' \\\n', 'a'),
  braces: fill('{a,b}', 'echo '),
  'many braces': fill('{a,b}{a,b}{a,b}{a,b}{a,b}{a,b} ', 'echo '),
  ranges: fill('{1..64} ', 'echo '),
  'nested braces': `echo ${nest('{a,', 'b', '}', 10_000)}`,
  'open braces': fill('{', 'echo '),
  globs: fill('*[', 'echo '),
  'here-documents': fill('cat <<E\n$(a)\nE\n'),
  'open here-documents': fill('<<E '),
  assignments: fill('a=b '),
  'array subscripts': nest('a[', '1', ']', 10_000),
  cases: fill('case a in a) a;; esac;'),
  tests: fill('[[ a && b ]];'),
  'nested tests': `[[ ${nest('( ', 'a', ' )', 10_000)} ]]`,
  sudo: fill('sudo ', '', 'git push'),
  env: fill('env a=b ', '', 'git push'),
  'shells in shells': fill('sh -c ', '', 'a'),
  eval: fill('eval ', '', 'a'),
  'find -exec': fill('-exec a ; '.replace(';', '\\;'), 'find '),
  'wrapped words': fill('a ', 'sudo nice nohup env xargs sudo nice nohup env git '),
  'directories and paths': `${'cd a; '.repeat(8)}${fill('a ', 'rm ').slice(100)}`,
  'sed commands': `sed '${fill('p;').slice(100)}'`,
  'sed brackets': `sed 's/${'['.repeat(60_000)}]/a/'`,
  'sed addresses': `sed '${fill('1,').slice(100)}p'`,
  'tar options': fill('--to-command=a ', 'tar '),
  'git settings': fill('-c alias.a=!b ', 'git '),
  'redirects in many places': `${'cd a; '.repeat(8)}${fill('>a ').slice(100)}`,
};

for (const [name, source] of Object.entries(HOSTILE)) {
  test(`hostile text is read in bounded time: ${name}`, (t) => {
    // Of this process alone: other tests run beside it.
    const start = process.cpuUsage();
    const reading = readCommand(source);
    const { user, system } = process.cpuUsage(start);
    const elapsedMs = (user + system) / 1000;
    t.diagnostic(`${Math.round(elapsedMs)} ms`);
    assert.ok(elapsedMs < 3000, `${Math.round(elapsedMs)} ms for ${source.length} characters`);
    assert.ok(reading.commands.length <= LIMITS.commands);
  });
}

test('text over the limit is a problem and is not read', () => {
  assert.deepEqual(readCommand('a'.repeat(SIZE + 1)), {
    problems: ['the command is longer than 65536 bytes'],
    hazards: [],
    commands: [],
    possible: [],
    redirects: [],
  });
  // Bytes count, not characters.
  assert.deepEqual(readCommand('ä'.repeat(SIZE / 2 + 1)).problems, [
    'the command is longer than 65536 bytes',
  ]);
  assert.deepEqual(readArgv(['echo', 'a'.repeat(SIZE)]).problems, ['the command is longer than 65536 bytes']);
});

test('depth, commands and words over their limits are problems', () => {
  assert.ok(readCommand(nest('$(', 'a', ')', 50)).problems.includes('nested deeper than 40'));
  assert.ok(readCommand(`${'sudo '.repeat(50)}git push`).problems.includes('nested deeper than 40'));
  assert.deepEqual(readCommand('a;'.repeat(2001)).problems, ['more than 2000 commands']);
  assert.deepEqual(readCommand(`echo ${'{1..64} '.repeat(400)}`).problems, [
    'a command of more than 20000 words',
  ]);
});

test('what is parsed in all has a limit', () => {
  assert.ok(
    readCommand(nest('$(', 'a', ')', 20_000)).problems.includes('nested text is parsed again too often'),
  );
  // A long script of the usual kind stays below it.
  assert.deepEqual(readCommand(fill('echo "$(cat "$x")";\n').slice(0, 18_000)).problems, []);
});

test('more than fifty commands are all read', () => {
  const { commands, problems } = readCommand(`${'true; '.repeat(500)}git push`);
  assert.deepEqual(problems, []);
  assert.deepEqual(commands.at(-1)?.args, ['push']);
});
