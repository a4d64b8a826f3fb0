import { type OptionSpec, scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';
import { merge, NOTHING, problem, type Run, runs, type Unwrap, type Unwrapped } from './unwrapped.ts';

const XARGS: OptionSpec = {
  flags: '0oprtx',
  values: 'aEILPdnsRSJ',
  optional: 'eil',
  long: [
    'null',
    'arg-file=',
    'delimiter=',
    'eof?',
    'replace?',
    'max-lines?',
    'max-args=',
    'open-tty',
    'max-procs=',
    'process-slot-var=',
    'interactive',
    'no-run-if-empty',
    'max-chars=',
    'show-limits',
    'verbose',
    'exit',
    'help',
    'version',
  ],
};

/** `xargs program words…`: more words come from standard input, at the end or where `-I` says. */
export const unwrapXargs: Unwrap = (args) => {
  const { options, rest, doubt } = scanOptions(args, XARGS);
  if (options.some(({ name }) => name === '--help' || name === '--version')) return NOTHING;
  const replace = options.findLast(({ name }) => ['-I', '-i', '-J', '--replace'].includes(name));
  const mark = replace === undefined ? null : (replace.value ?? '{}');
  const words = args.slice(rest);
  const filled = mark === null ? [...words, null] : words.map((word) => fill(word, mark));
  const notes: Unwrapped[] = doubt === null ? [] : [problem(`xargs: ${doubt}`)];
  for (const { name, value } of options)
    if (name === '--process-slot-var' && value !== undefined)
      notes.push({ ...NOTHING, hazards: ['xargs passes a variable to a program'] });
  return words.length === 0 ? merge(...notes) : merge(...notes, runs({ via: 'xargs', words: filled }));
};

function fill(word: Argument, mark: string): Argument {
  return word?.includes(mark) === true ? null : word;
}

const FIND_RUNS = new Set(['-exec', '-execdir', '-ok', '-okdir']);

/** `find … -exec program words… ;`, where `{}` stands for what was found. */
export const unwrapFind: Unwrap = (args) => {
  const found: Run[] = [];
  if (args.includes(null))
    return problem('find takes a word that is known only at run time: it may be -exec or -delete');
  for (let index = 0; index < args.length; index++) {
    const action = args[index] ?? '';
    if (!FIND_RUNS.has(action)) continue;
    const start = index + 1;
    while (index < args.length && !isEnd(args, index, start)) index++;
    const words = args.slice(start, index).map((word) => fill(word, '{}'));
    const place = action.endsWith('dir') ? { directory: null } : {};
    found.push({ via: `find ${action}`, words: words.length === 0 ? [null] : words, ...place });
  }
  return runs(...found);
};

function isEnd(args: readonly Argument[], index: number, start: number): boolean {
  return args[index] === ';' || (args[index] === '+' && index > start && args[index - 1] === '{}');
}

const PARALLEL: OptionSpec = {
  flags: '0kqXmutvx',
  values: 'jNnLPSIadC',
  long: [
    'jobs=',
    'keep-order',
    'null',
    'quote',
    'dry-run',
    'verbose',
    'progress',
    'bar',
    'eta',
    'halt=',
    'will-cite',
    'max-args=',
    'no-notice',
    'ungroup',
    'line-buffer',
    'tag',
    'delay=',
    'timeout=',
    'retries=',
    'joblog=',
    'results=',
    'arg-file=',
    'colsep=',
  ],
};

/** GNU parallel: the words up to `:::` are shell text, filled with values that it quotes. */
export const unwrapParallel: Unwrap = (args) => {
  const { options, rest, doubt } = scanOptions(args, PARALLEL);
  const notes: Unwrapped[] = doubt === null ? [] : [problem(`parallel: ${doubt}`)];
  if (options.some(({ name }) => name === '-S')) notes.push(problem('parallel runs on other machines'));
  if (options.some(({ name }) => name === '-I'))
    notes.push(problem('parallel -I replaces a text of its own'));
  const words = args.slice(rest);
  const end = words.findIndex((word) => word?.startsWith(':::') === true);
  const command = end === -1 ? words : words.slice(0, end);
  if (command.length === 0 || command.includes(null))
    return merge(...notes, problem('parallel runs commands that are known only at run time'));
  const text = command.join(' ');
  const hasMark = /\{[^{}\s,]*\}/.test(text);
  const filled = text.replaceAll(/\{[^{}\s,]*\}/g, '"$value"');
  return merge(
    ...notes,
    runs({ via: 'parallel', text: hasMark ? filled : `${filled} "$value"`, dialect: 'bash' }),
  );
};
