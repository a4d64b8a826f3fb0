import fc from 'fast-check';

/** Shell source that runs `marker now`, wrapped and quoted at random. Harmless to run: it only echoes and waits. */
export interface Nested {
  readonly source: string;
  /** One simple command, so that a wrapper like `env` can stand in front of it. */
  readonly isSimple: boolean;
}

const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const double = (text: string) => `"${text.replaceAll(/["\\$`]/g, '\\$&')}"`;
const ansi = (text: string) => `$'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`;
const ansiHex = (text: string) =>
  `$'${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`;
const quotes = fc.constantFrom(single, double, ansi, ansiHex);

/** Spellings of one plain word. */
const spellings: readonly ((word: string) => string)[] = [
  (word) => word,
  single,
  double,
  ansi,
  (word) => `${word.slice(0, 2)}""${word.slice(2)}`,
  (word) => `${word.slice(0, 1)}'${word.slice(1, 3)}'"${word.slice(3)}"`,
  (word) => word.replace(/(?=.)/, '\\'),
  (word) => `${word.slice(0, -1)}{${word.slice(-1)},}`,
  (word) => `\${unset_name}${word}`,
  (word) => `${word.slice(0, 3)}\\\n${word.slice(3)}`,
];

const base: fc.Arbitrary<Nested> = fc
  .record({
    program: fc.constantFrom(...spellings),
    word: fc.constantFrom(...spellings),
    tail: fc.constantFrom('', ' "$HOME"', ' >/dev/null', ' 2>&1', ' <<< x', ' # comment', ' \\\n  more'),
    head: fc.constantFrom('', 'A=b ', '</dev/null ', 'A=$(true) '),
  })
  .map(({ program, word, tail, head }) => ({
    source: `${head}${program('marker')} ${word('now')}${tail}`,
    isSimple: head === '' && !tail.includes('#'),
  }));

/** A newline ends what a comment or here-document would swallow. */
const COMPOUND: readonly ((source: string) => string)[] = [
  (source) => `true && ${source}`,
  (source) => `false || ${source}`,
  (source) => `true; ${source}`,
  (source) => `true & ${source}`,
  // Behind a pipe `time` is a program, which takes an assignment in front of a command for the command.
  (source) => `echo a | ${source.startsWith('time ') ? `{ ${source}\n}` : source}`,
  (source) => `! ${source}`,
  (source) => `(${source}\n)`,
  (source) => `{ ${source}\n}`,
  (source) => `if true; then ${source}\nfi`,
  (source) => `if ${source}\nthen :; fi`,
  (source) => `if false; then :; else ${source}\nfi`,
  (source) => `for i in 1; do ${source}\ndone`,
  (source) => `for ((i=0; i<1; i++)); do ${source}\ndone`,
  (source) => `until ${source}\ndo break; done`,
  (source) => `case a in b) :;; *) ${source}\n;; esac`,
  (source) => `fun_1() { ${source}\n}; fun_1`,
  (source) => `echo $(${source}\n)`,
  (source) => `echo "a$(${source}\n)b"`,
  (source) => `x=$(${source}\n)`,
  (source) => `echo $\{y:-$(${source}\n)}`,
  (source) => `echo \`${source.replaceAll(/[`\\$]/g, '\\$&')}\n\``,
  (source) => `cat <(${source}\n)`,
  (source) => `cat <<END_OF_TEXT\n$(${source}\n)\nEND_OF_TEXT`,
  (source) => `[[ -n $(${source}\n) ]]`,
  (source) => `echo $((1 + $(${source} >/dev/null\necho 1)))`,
  (source) => `y=(a $(${source}\n))`,
  (source) => `time ${source}`,
  (source) => `coproc { ${source}\n}; wait`,
];

const TEXT: readonly ((text: string) => string)[] = [
  (text) => `eval ${text}`,
  (text) => `eval -- ${text}`,
  (text) => `sh -c ${text}`,
  (text) => `bash -c ${text}`,
  (text) => `bash --norc -ec ${text} name arg`,
  (text) => `bash -o pipefail -c ${text}`,
  (text) => `trap ${text} EXIT`,
  (text) => `trap -- ${text} 0`,
  (text) => `env A=b sh -c ${text}`,
  (text) => `echo x | xargs -n1 sh -c ${text}`,
  (text) => `find /dev/null -exec sh -c ${text} \\;`,
  (text) => `command eval ${text}`,
  (text) => `builtin eval ${text}`,
  (text) => `flock /dev/null -c ${text}`,
  (text) => `printf ${text} | sh`,
  (text) => `sh <<< ${text}`,
  (text) => `z=${text}; eval "$z"`,
];

const PREFIX: readonly ((source: string) => string)[] = [
  'env ',
  'env -i PATH="$PATH" LOG="$LOG" ',
  'env -u NOTHING ',
  'env A=b C=d ',
  'nice ',
  'nice -n 1 ',
  'nohup ',
  'timeout 20 ',
  'timeout -k 1 --signal KILL 20 ',
  'setsid -w ',
  'stdbuf -oL ',
  'command ',
  'command -p -- env ',
  'exec ',
  'exec -a name ',
  'echo more | xargs ',
  'xargs -n 1 -r </dev/null ',
  'find /dev/null -exec env ',
  'flock /dev/null ',
  'ionice -c3 ',
].map((prefix) => (source) => (prefix.startsWith('find') ? `${prefix}${source} \\;` : `${prefix}${source}`));

const deeper = (inner: fc.Arbitrary<Nested>): fc.Arbitrary<Nested> =>
  fc.oneof(
    fc
      .tuple(inner, fc.constantFrom(...COMPOUND))
      .map(([{ source }, wrap]) => ({ source: wrap(source), isSimple: false })),
    fc
      .tuple(inner, fc.constantFrom(...TEXT), quotes)
      .map(([{ source }, wrap, quote]) => ({ source: wrap(quote(source)), isSimple: false })),
    fc.tuple(inner, fc.constantFrom(...PREFIX), quotes).map(([{ source, isSimple }, wrap, quote]) => ({
      source: wrap(isSimple ? source : `sh -c ${quote(source)}`),
      // A second exec, pipe or semicolon would not belong to the same command.
      isSimple: false,
    })),
  );

/** Up to four layers around the marker. */
export const nested: fc.Arbitrary<Nested> = fc.oneof(
  { weight: 1, arbitrary: base },
  { weight: 3, arbitrary: deeper(base) },
  { weight: 4, arbitrary: deeper(deeper(base)) },
  { weight: 3, arbitrary: deeper(deeper(deeper(base))) },
  { weight: 1, arbitrary: deeper(deeper(deeper(deeper(base)))) },
);
