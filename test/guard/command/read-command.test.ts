import assert from 'node:assert/strict';
import test from 'node:test';
import { type FileNames, readArgv, readCommand } from '../../../src/guard/command/read-command.ts';
import type { Argument, SimpleCommand } from '../../../src/guard/command/reading.ts';

/** The one command of that program. */
function only(source: string, program: string): SimpleCommand {
  const found = readCommand(source).commands.filter((command) => command.program === program);
  assert.equal(found.length, 1, `${found.length} commands of ${program} in ${source}`);
  return found[0] as SimpleCommand;
}

function words(source: string): (readonly Argument[])[] {
  return readCommand(source).commands.map(({ program, args }) => [program, ...args]);
}

test('a plain command is read whole', () => {
  assert.deepEqual(readCommand('git push origin main'), {
    problems: [],
    hazards: [],
    commands: [
      {
        program: 'git',
        args: ['push', 'origin', 'main'],
        areWordsWhole: true,
        assignments: [],
        wrappers: [],
        text: 'git push origin main',
        isNested: false,
        runsCode: false,
        reads: [],
        writes: [],
        isEffectKnown: false,
        directories: ['.'],
      },
    ],
    possible: [],
    redirects: [],
  });
});

test('a wrapper is a command beside what it runs, with its assignments', () => {
  const { commands, hazards, problems } = readCommand("sudo -u root env A=b LC_ALL=C sh -c 'git push' # x");
  assert.deepEqual(problems, []);
  assert.deepEqual(hazards, ['passes A to a program']);
  assert.deepEqual(
    commands.map(({ program, wrappers, isNested, assignments }) => ({
      program,
      wrappers,
      isNested,
      assignments,
    })),
    [
      { program: 'sudo', wrappers: [], isNested: false, assignments: [] },
      { program: 'env', wrappers: ['sudo'], isNested: true, assignments: [] },
      {
        program: 'sh',
        wrappers: ['sudo', 'env'],
        isNested: true,
        assignments: [
          { name: 'A', value: 'b' },
          { name: 'LC_ALL', value: 'C' },
        ],
      },
      { program: 'git', wrappers: ['sudo', 'env', 'sh -c'], isNested: true, assignments: [] },
    ],
  );
  assert.equal(commands[0]?.text, "sudo -u root env A=b LC_ALL=C sh -c 'git push'");
  assert.equal(commands[3]?.text, 'git push');
});

test('words are exact where they are static, and unknown elsewhere', () => {
  const table: readonly (readonly [string, readonly Argument[]])[] = [
    [`echo 'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    [`echo a"b"'c'$'\\x64'`, ['abcd']],
    ['echo {1..3} x{,y} {a,{b,c}}d', ['1', '2', '3', 'x', 'xy', 'ad', 'bd', 'cd']],
    ['echo {a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['echo {3..1} {-1..1}', ['3', '2', '1', '-1', '0', '1']],
    ['echo {a} {a,b {', ['{a}', '{a,b', '{']],
    ['echo {01..03} {a..c} {1..1000} {a,"b"} {a,$x} {a,~}', [null, null, null, null, null, null]],
    ['echo $x "$x" a$x *.ts a? [ab] ~ ~/x a=~/b', [null, null, null, null, null, null, null, null, null]],
    ['echo "" \'\' \\* "*" "~" a~', ['', '', '*', '*', '~', 'a~']],
    ["echo $'a\\0b' $'\\xff'", ['a', null]],
    ['echo a\\\\b "a\\$b" "a\\nb"', ['a\\b', 'a$b', 'a\\nb']],
    ['declare x=1 y=a', ['x=1', 'y=a']],
  ];
  for (const [source, expected] of table) assert.deepEqual(words(source)[0]?.slice(1), expected, source);
});

test('what is filled in is what bash makes of it, or nothing', () => {
  const files: FileNames = (pattern) =>
    pattern === 's/*' ? ['s/a', 's/b'] : pattern === 't*' ? ['t'] : pattern === '*' ? ['a', 'b'] : null;
  const table: readonly (readonly [source: string, program: string, ...args: readonly Argument[]])[] = [
    // `$va` and `$vb`.
    ['v=x; cat $v{a,b}', 'cat', null],
    ['v=x; cat "$v"{a,b}', 'cat', 'xa', 'xb'],
    ['v=a{1..1}; cat "$v"', 'cat', null],
    [': "${v:=\'a\'}"; cat "$v"', 'cat', null],
    // The first or the last means more than the others, and bash sorts them by the language.
    ['cp s/*', 'cp', null],
    ['cp a t*', 'cp', 'a', null],
    ['sort -o s/*', 'sort', '-o', null],
    ['xxd s/*', 'xxd', null],
    ['nice s/*', 'nice', null],
    ['cp s/* d/', 'cp', 's/a', 's/b', 'd/'],
    ['cat t*', 'cat', 't'],
    ['set -f; cat s/*', 'cat', null],
    ['set -eo noglob; cat s/*', 'cat', null],
    // An error drops what else is on its line.
    ['echo "$((1/0))"; d=x\ncat "$d/y"', 'cat', 'x/y', '/y'],
    ['g=$((1/0)) d=x\ncat "$d/y"', 'cat', 'x/y', '/y'],
    ['UID=5; d=x\ncat "$d/y"', 'cat', 'x/y', '/y'],
    ['readonly q; q=1; d=x\ncat "$d/y"', 'cat', null],
    ['declare -r q=1; q=1; d=x\ncat "$d/y"', 'cat', null],
    ['echo "$((1/0))"\nd=x; cat "$d/y"', 'cat', 'x/y'],
    ['d=x; f=y; cat "$d/$f"', 'cat', 'x/y'],
    // The environment may have it.
    ['false && NETRC=a; cat "$NETRC"', 'cat', null],
    ['NETRC=a; cat "$NETRC"', 'cat', 'a'],
  ];
  for (const [source, program, ...args] of table) {
    const { commands } = readCommand(source, files);
    const found = commands.filter((each) => each.program === program);
    const words = program === 'cat' && found.length > 1 ? found.flatMap((each) => each.args) : found[0]?.args;
    assert.deepEqual(words, args, source);
  }
});

test('behind a cd that may stay where it is both folders count', () => {
  const table: readonly (readonly [source: string, ...reads: readonly Argument[]])[] = [
    ['pushd -n a && cat x', 'x', 'a/x'],
    ['false && d=a; cd "$d" && cat x', 'a/x', 'x', 'a/./x'],
    // By the text of its path bash is back where it was, whatever the link is.
    ['cd link; cd .. && cat x', '../x', 'link/../x', 'x'],
    ['cd a && cat x', 'a/x'],
  ];
  for (const [source, ...reads] of table) {
    const { commands } = readCommand(source);
    const found = commands.filter(({ program }) => program === 'cat').flatMap((each) => each.reads);
    assert.deepEqual(new Set(found), new Set(reads), source);
  }
});

test('variables and patterns are filled in where all that they may stand for is known', () => {
  const files = (pattern: string, folder: string) =>
    pattern === 'src/*.ts' && folder === '.' ? ['src/a.ts', 'src/b.ts'] : pattern === '*' ? ['-n'] : null;
  const table: readonly (readonly [string, readonly (readonly Argument[])[]])[] = [
    ['for f in a b; do cat "$f"; done', [['a'], ['b']]],
    ['for f in src/*.ts; do cat "$f.x"; done', [['src/a.ts.x'], ['src/b.ts.x']]],
    ['d=src; cat $d/x', [['src/x']]],
    ['false && d=src; cat "$d/x"', [['src/x'], ['/x']]],
    ['d=a; cat "$d"; d=b', [['a'], ['b']]],
    ['cat "$d"; d=a', [['a'], ['']]],
    ['cat src/*.ts', [['src/a.ts', 'src/b.ts']]],
    // It would be an option, by what else is there.
    ['cat *', [[null]]],
    ['cd x; cat src/*.ts', [[null]]],
    ['d="a b"; cat $d "$d"', [[null, 'a b']]],
    ['d=a; d+=b; cat "$d"', [[null]]],
    ['d=$((1)); cat "$d"', [[null]]],
    ['d=a; read -r d; cat "$d"', [[null]]],
    ['d=a; declare "d=b"; cat "$d"', [[null]]],
    ['RANDOM=a; cat "$RANDOM"', [[null]]],
    ['d=a; sh -c \'cat "$d"\'', [[null]]],
    // What is no path to its program may become an option or a subcommand.
    ['tar cf x *; cat', [[]]],
  ];
  for (const [source, expected] of table) {
    const { commands } = readCommand(source, files);
    const found = commands.filter(({ program }) => program === 'cat').map(({ args }) => args);
    assert.deepEqual(found, expected, source);
  }
  assert.deepEqual(readCommand('tar cf x *', files).commands[0]?.args, ['cf', 'x', null]);
  assert.deepEqual(readCommand('sort *', files).commands[0]?.args, [null]);
  assert.deepEqual(readCommand('echo src/*.ts', files).redirects, [
    { path: 'src/a.ts', mode: 'read' },
    { path: 'src/b.ts', mode: 'read' },
  ]);
});

test('the text of a here-document in a substitution is known', () => {
  assert.deepEqual(only('git commit -m "$(cat <<\'E\'\na $b\n\nE\n)"', 'git').args, ['commit', '-m', 'a $b']);
  assert.deepEqual(only('git commit -m "$(cat <<E\na $b\nE\n)"', 'git').args, ['commit', '-m', null]);
  assert.deepEqual(only('git commit -m "$(cat x <<\'E\'\na\nE\n)"', 'git').args, ['commit', '-m', null]);
});

test('a program known only at run time is null and a problem', () => {
  const { commands, problems } = readCommand('"$EDITOR" file');
  assert.equal(commands[0]?.program, null);
  assert.deepEqual(problems, ['a program is known only at run time: "$EDITOR" file']);
});

test('redirects name their paths and modes', () => {
  const { redirects, problems } = readCommand(
    'a <in >out >>log >|clobber <>both &>all &>>more >&too 2>&1 3<&- >"$x" <<< text',
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(redirects, [
    { path: 'in', mode: 'read' },
    { path: 'out', mode: 'write' },
    { path: 'log', mode: 'append' },
    { path: 'clobber', mode: 'write' },
    { path: 'both', mode: 'read_write' },
    { path: 'all', mode: 'write' },
    { path: 'more', mode: 'append' },
    { path: 'too', mode: 'write' },
    { path: null, mode: 'write', text: '"$x"' },
  ]);
  assert.deepEqual(readCommand('>file').commands, []);
  assert.deepEqual(readCommand('{ a; } >file').redirects, [{ path: 'file', mode: 'write' }]);
});

test('paths are told from every directory a command may be in', () => {
  assert.deepEqual(only('cd sub; rm x /y', 'rm').writes, ['x', 'sub/x', '/y']);
  const behind: readonly (readonly [string, readonly Argument[]])[] = [
    // Where the `cd` fails, nothing behind && runs.
    ['cd sub && rm x /y', ['sub/x', '/y']],
    ['true && cd a && cd b && rm x', ['a/b/x']],
    ['cd a && cd .. && rm x', ['a/../x', 'x']],
    ['cd a && cd - && rm x', [null]],
    ['cd "" && rm x', ['x']],
    ['(cd a && true); rm x', ['x', 'a/x']],
    ['cd a && true; rm x', ['x', 'a/x']],
    ['cd a || rm x', ['x', 'a/x']],
    ['false || cd a && rm x', ['x', 'a/x']],
    ['cd a && false || rm x', ['x', 'a/x']],
    ['! cd a && rm x', ['x', 'a/x']],
    ['nohup cd a && rm x', ['x', 'a/x']],
    ["sh -c 'cd a' && rm x", ['x', 'a/x']],
    ['cd a | true && rm x', ['x', 'a/x']],
  ];
  for (const [source, expected] of behind) assert.deepEqual(only(source, 'rm').writes, expected, source);
  assert.deepEqual(only('cd a; cd b; rm x', 'rm').directories, ['.', 'a', 'b', 'a/b']);
  assert.deepEqual(only('(cd /etc); cat passwd', 'cat').reads, ['passwd', '/etc/passwd']);
  assert.deepEqual(only('cd link/..; cat x', 'cat').reads, ['x', 'link/../x']);
  assert.deepEqual(only('env -C sub rm x', 'rm').writes, ['sub/x']);
  assert.deepEqual(only('find . -execdir rm x \\;', 'rm').writes, [null]);
  assert.deepEqual(only('ssh host rm x', 'rm').writes, [null]);
  for (const move of ['cd', 'cd -', 'cd "$x"', 'cd ~', 'popd', 'pushd +1'])
    assert.deepEqual(only(`${move}; rm x`, 'rm').writes, ['x', null], move);
  // The directory of the second turn is that of the first plus one more.
  assert.deepEqual(only('for i in 1 2; do rm x; cd ..; done', 'rm').writes, [null]);
  assert.deepEqual(only("trap 'rm x' EXIT; cd a", 'rm').writes, [null]);
  assert.deepEqual(readCommand('cd a; echo x >y').redirects, [
    { path: 'y', mode: 'write' },
    { path: 'a/y', mode: 'write' },
  ]);
});

test('arguments of well-known programs name what is read and written', () => {
  const table: readonly (readonly [string, readonly Argument[], readonly Argument[], boolean])[] = [
    ['cat a -n b', ['a', 'b'], [], true],
    ['head -n 5 a', ['a'], [], true],
    ['grep -rn pattern a b', ['a', 'b'], [], true],
    ['grep -E pattern a', ['a'], [], true],
    ['grep -r pattern a', ['a'], [], true],
    ['grep --color pattern a', ['a'], [], true],
    ['grep --binary pattern a', ['.', 'a'], [], true],
    ['diff --from-file=b a', ['a', 'b'], [], true],
    ['cat -X/b a', ['a', '/b'], [], true],
    ['grep --reg pattern a', ['a'], [], true],
    ['grep -m 3 pattern a', ['a'], [], true],
    ['column -t a', ['a'], [], true],
    ['comm -1 a b', ['b', 'a'], [], true],
    ['stat -c %s a', ['a', '%s'], [], true],
    ['mkdir -Z a', [], ['a'], true],
    ['chmod -x a', [], ['a'], true],
    ['chmod -R 755 a', [], ['a'], true],
    ['chmod --reference=b a', [], ['a'], true],
    ['chmod --ref=b a', [], ['a'], true],
    ['chmod --ref b a', [], ['a'], true],
    ['chown --refer=b a', [], ['a'], true],
    ['hostname -F a', ['a'], [], true],
    ['chown -R me a', [], ['a'], true],
    ['chattr -i a', [], ['a'], true],
    ['chattr -R +i a', [], ['a'], true],
    ['setfacl -m u:me:r a', [], ['a', 'u:me:r'], true],
    ['find -L a -name x', ['a'], [], true],
    ['find -O3 -D exec a b', ['a', 'b'], [], true],
    ['find -H', ['.'], [], true],
    ['awk -F : -v x=1 1 a', ['a'], [], true],
    ['gawk -e 1 a', ['a'], [null], false],
    ['gawk -o/etc/x 1 a', ['a'], [null], false],
    ['grep -f list a', ['a', 'list'], [], true],
    ['rg pattern', ['.'], [], true],
    ['ls', ['.'], [], true],
    ['cp a b c', ['a', 'b'], ['c', 'c/a', 'c/b'], true],
    ['cp -t c a', ['a'], ['c', 'c/a'], true],
    ['mv a b', ['a'], ['a', 'b', 'b/a'], true],
    ['rm -rf -- -a', [], ['-a'], true],
    ['rm *.log', [], [null], false],
    ['chmod 600 a', [], ['a'], true],
    ['tee -a a', [], ['a'], true],
    ['sort -o out in', ['in'], ['out'], true],
    ['sort in --output=out', ['in'], ['out'], true],
    ['uniq a b', ['a'], ['b'], true],
    ['dd if=a of=b bs=1', ['a'], ['b'], true],
    ["sed 's/a/b/' x", ['x'], [], true],
    ["sed -i 's/a/b/' x", ['x'], ['x'], true],
    ["sed -n '/a/w out' x", ['x'], ['out'], true],
    ["sed 's/a/b/gw out' x", ['x'], ['out'], true],
    ["sed '$r in' x", ['x', 'in'], [], true],
    ["awk '{print $2}' x", ['x'], [], true],
    ['find a b -name x', ['a', 'b'], [], true],
    ['find a -delete', ['a'], ['a', null], true],
    ['find a -fprint out', ['a'], ['out'], true],
    ['tar cf a.tar b', ['b'], ['a.tar'], false],
    ['tar xf a.tar', ['xf', 'a.tar'], [null], false],
    ['curl -o out -d @in url', ['in'], ['out'], false],
    ['wget url', [], [null], false],
    ['git rm a', [], ['a'], false],
    ['git checkout -- a', [], ['a'], false],
    ['git diff --output=out', [], ['out'], true],
    ['git -C sub config user.name x', ['sub/.'], ['sub/.git/config'], true],
    ['git status', [], [], true],
    ['git branch', [], [], true],
    ['git branch --list x', [], [], true],
    ['git branch -a --merged x', [], [], true],
    ['git branch x', [], [], false],
    ['git branch -D x', [], [], false],
    ['git branch --list -D x', [], [], false],
    ['git branch -a x', [], [], false],
    ['git branch --lis x', [], [], false],
    ['git tag', [], [], true],
    ['git tag -l x', [], [], true],
    ['git tag x', [], [], false],
    ['git tag -l -F a x', [], [], false],
    ['git remote -v', [], [], true],
    ['git remote get-url x', [], [], true],
    ['git remote show x', [], [], false],
    ['git remote -v update', [], [], false],
    ['git stash list -3', [], [], true],
    ['git stash', [], [], false],
    ['git stash list --output=a', [], [], false],
    ['git worktree list', [], [], true],
    ['git worktree add list', [], [], false],
    ['git reflog -5', [], [], true],
    ['git reflog expire --all', [], [], false],
    ['git -C sub branch', ['sub/.'], [], true],
    ['git -C sub add -A', ['sub/.'], [], true],
    ['git -C sub branch $x', [], [], false],
    ['date -u +%F', ['+%F'], [], true],
    ['date -d yesterday', [], [], true],
    ['date -f a', ['a'], [], true],
    ['date --ref=a', ['a'], [], true],
    ['unknown-program a', [], [], false],
  ];
  for (const [source, reads, writes, isEffectKnown] of table) {
    const [command] = readCommand(source).commands;
    assert.deepEqual(
      { reads: command?.reads, writes: command?.writes, isEffectKnown: command?.isEffectKnown },
      { reads, writes, isEffectKnown },
      source,
    );
  }
});

test('programs that run code are marked, filters are not', () => {
  const code = [
    ...[
      'python3 -c 1',
      'python3.12 x.py',
      'node -e 1',
      'perl -ne 1',
      'ruby x',
      'make',
      'npm test',
      'sh script.sh',
    ],
    ...[
      'vim -c "!x" f',
      'ed f',
      'sqlite3 db',
      'docker run x',
      'git difftool',
      'source f',
      'less +!x f',
      'awk -f x',
    ],
    ...[
      `awk 'BEGIN{system("x")}'`,
      `awk '{print | "x"}'`,
      `awk '{print > "x"}'`,
      "sed '1e x'",
      'curl -K f',
      'cargo build',
    ],
  ];
  const plain = [
    ...[
      'python3 --version',
      'node --version',
      'make --help',
      'git status',
      'cat f',
      'less f',
      "sed -n '1,5p' f",
    ],
    ...[
      "awk -F: '$3 > 5 || $1' f".replace('> 5', '== 5'),
      "awk '{print $1}' f",
      'curl -s https://a.example',
      'bash -c ls',
    ],
  ];
  for (const source of code) assert.equal(readCommand(source).commands[0]?.runsCode, true, source);
  for (const source of plain) assert.equal(readCommand(source).commands[0]?.runsCode, false, source);
});

test('ordinary commands have neither problems nor hazards', () => {
  const ordinary = [
    'git status --short && git diff --stat',
    'git log --oneline -5 | head -3',
    'grep -rn "TODO" src --include=*.ts | wc -l',
    'find . -name "*.ts" -not -path "./node_modules/*" | sort',
    'find . -name "*.tmp" -exec rm {} +',
    'cd packages/a && npm test 2>&1 | tail -20',
    'for f in src/*.ts; do wc -l "$f"; done',
    'for i in 1 2 3; do echo $((i * 2)); done',
    'i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo "$i"; done',
    'if [ -f package.json ]; then cat package.json; else echo none; fi',
    'while read -r line; do echo "$line"; done < list.txt',
    'cat <<EOF > notes.md\nhello $USER\nEOF',
    "sed -i 's/old/new/g' src/a.ts",
    "awk -F, '{print $1}' data.csv",
    'xargs -n1 echo < list.txt',
    'LC_ALL=C sort -u a.txt',
    'timeout 60 npm run build',
    'mkdir -p out && cp -r src/. out/',
    '[[ -d dist ]] && ls -la dist',
    'echo "$(date +%F) done" >> log.txt',
    'ls -la | grep "\\.ts$"',
    'diff <(sort a) <(sort b)',
    'set -euo pipefail; make test',
    'x=$(git rev-parse HEAD); echo "${x:0:7}"',
    'test -n "$HOME" && echo "${HOME%/}"',
    "git commit -m 'Fix a bug: handle $(x) and `y` — ünïcode ✓'",
  ];
  for (const source of ordinary) {
    const { problems, hazards } = readCommand(source);
    assert.deepEqual({ problems, hazards }, { problems: [], hazards: [] }, source);
  }
});

test('an argv is read without a shell, its wrappers unwrapped', () => {
  const { commands, problems } = readArgv(['sudo', 'bash', '-c', 'echo "$x"; rm *.log', 'a b']);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    commands.map(({ program, args }) => [program, ...args]),
    [
      ['sudo', 'bash', '-c', 'echo "$x"; rm *.log', 'a b'],
      ['bash', '-c', 'echo "$x"; rm *.log', 'a b'],
      ['echo', null],
      ['rm', null],
    ],
  );
  // No shell: nothing of this is special.
  assert.deepEqual(readArgv(['echo', '$(git push)', '*', '\r\n', '\u200b']).problems, []);
  assert.deepEqual(readArgv(['echo', '$(git push)', '*']).commands[0]?.args, ['$(git push)', '*']);
  assert.deepEqual(readArgv(['echo', 'a\0b']).problems, ['a word holds a NUL character']);
  assert.deepEqual(readArgv([]).problems, ['there is no command']);
});

test('a typical decision costs little', (t) => {
  const typical = [
    'git status',
    'npm test 2>&1 | tail -20',
    'cd src && grep -rn "foo" . | head -5',
    'timeout 60 sh -c "npm run build && ls -la dist"',
    'for f in *.ts; do wc -l "$f"; done',
    'cat <<EOF > notes.md\nhello $USER\nEOF',
  ];
  const batch = () => {
    const start = process.cpuUsage();
    for (let turn = 0; turn < 200; turn++) for (const source of typical) readCommand(source);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / (200 * typical.length);
  };
  batch();
  // The least of several: what the reader costs, not what else the machine does.
  const cost = Math.min(...Array.from({ length: 7 }, batch));
  t.diagnostic(`${cost.toFixed(1)} µs a command`);
  assert.ok(cost < 100, `${cost.toFixed(1)} µs a command`);
});
