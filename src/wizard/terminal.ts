import { emitKeypressEvents, type Key } from 'node:readline';
import { clipToWidth, displayWidth } from '../cli/display-width.ts';
import { printable, type Style } from '../cli/style.ts';
import { widthOf } from '../cli/table.ts';
import type { Asker } from './conversation.ts';
import { type Choice, type ChoiceQuestion, type Question, refusal, type TextQuestion } from './question.ts';

type Library = typeof import('./prompt-library.ts');

/** Longer lists are searched by typing. */
const LONG_LIST = 12;
const PAGE = 12;
const THEME = { prefix: { idle: '?', done: '✓' } };

/** Asks on the terminal, on stderr. Escape goes back, Ctrl-C and the end of the input leave. */
export async function openTerminal(style: Style): Promise<Asker> {
  // Loaded here: no other command pays for it.
  const library = await import('./prompt-library.ts');
  return {
    ask: (question, isFirst) => askOnce(library, question, isFirst, style),
    tell: (text) => void process.stderr.write(`${text}\n`),
  };
}

async function askOnce(
  library: Library,
  question: Question,
  isFirst: boolean,
  style: Style,
): Promise<{ reply: string } | 'back' | 'leave'> {
  const back = new AbortController();
  const onKey = (_: string | undefined, key: Key | undefined): void => {
    if (key?.name === 'escape' && !isFirst) back.abort();
  };
  emitKeypressEvents(process.stdin);
  process.stdin.on('keypress', onKey);
  try {
    const context = { output: process.stderr, signal: back.signal, clearPromptOnDone: false };
    if (question.kind === 'text') return { reply: await askText(library, question, context) };
    if (question.kind === 'choice') return { reply: await askChoice(library, question, context, style) };
    throw new Error(`${question.id} is not for a person`);
  } catch (error) {
    if (back.signal.aborted) {
      process.stderr.write(`${style.dim('  ← back')}\n`);
      return 'back';
    }
    if (error instanceof Error && error.name === 'ExitPromptError') return 'leave';
    throw error;
  } finally {
    process.stdin.off('keypress', onKey);
  }
}

interface Context {
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

function askText({ input }: Library, question: TextQuestion, context: Context): Promise<string> {
  return input(
    {
      message: question.text,
      ...(question.standard === '' ? {} : { default: question.standard }),
      theme: THEME,
      validate: async (reply) => (await refusal(question, reply)) ?? true,
    },
    context,
  );
}

async function askChoice(
  library: Library,
  question: ChoiceQuestion,
  context: Context,
  style: Style,
): Promise<string> {
  const width = widthOf(process.stderr);
  for (;;) {
    const choices = question.choices.map((choice) => shown(choice, width));
    const chosen =
      choices.length > LONG_LIST
        ? await library.search(
            {
              message: question.text,
              pageSize: PAGE,
              default: question.standard,
              theme: THEME,
              source: (term) =>
                choices.filter(({ name, value, description }) =>
                  isMeant(term, `${name} ${value} ${description ?? ''}`),
                ),
            },
            context,
          )
        : await library.select(
            {
              message: question.text,
              pageSize: PAGE,
              loop: false,
              default: question.standard,
              theme: THEME,
              choices,
            },
            context,
          );
    const why = await refusal(question, chosen);
    if (why === null) return chosen;
    process.stderr.write(`${style.red('✗')} ${printable(why)}\n`);
  }
}

/** A choice as lines that fit: names and descriptions come from files of others. */
function shown(
  { value, name, description }: Choice,
  width: number,
): { value: string; name: string; description?: string; short: string } {
  const line = fit(
    printable(name).replace(/^ +/, (blanks) => blanks),
    width - 4,
  );
  return {
    value,
    name: line,
    short: line.trim(),
    ...(description === undefined || description === ''
      ? {}
      : { description: fit(printable(description), 2 * width - 8) }),
  };
}

function fit(text: string, columns: number): string {
  return displayWidth(text) <= columns ? text : `${clipToWidth(text, columns - 1)}…`;
}

function isMeant(term: string | undefined, text: string): boolean {
  const lower = text.toLowerCase();
  return (term ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
