import { emitKeypressEvents, type Key } from 'node:readline';
import { clipToWidth, displayWidth } from '../cli/text/display-width.ts';
import { printable, type Style } from '../cli/text/style.ts';
import { widthOf } from '../cli/text/table.ts';
import { wrapped, wrapText } from '../cli/text/wrap.ts';
import type { Asker } from './conversation.ts';
import { type Choice, type ChoiceQuestion, type Question, refusal, type TextQuestion } from './question.ts';

type Library = typeof import('./prompt-library.ts');

/** Longer lists are searched by typing. */
const LONG_LIST = 12;
const PAGE = 12;

/** Asks on the terminal, on stderr. Escape goes back, Ctrl-C and the end of the input leave. */
export async function openTerminal(style: Style): Promise<Asker> {
  // Loaded here: no other command pays for it.
  const library = await import('./prompt-library.ts');
  return {
    ask: (question, isFirst) => askOnce(library, question, isFirst, style),
    tell: (text) => void process.stderr.write(`${wrapText(text, widthOf(process.stderr))}\n`),
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
    // What was asked is cleared away; its answer is written in one line.
    const context = { output: process.stderr, signal: back.signal, clearPromptOnDone: true };
    if (question.kind === 'work') throw new Error(`${question.id} is not for a person`);
    const reply =
      question.kind === 'text'
        ? await askText(library, question, context, themeFor(style))
        : await askChoice(library, question, context, style);
    process.stderr.write(`${answerLine(question, reply, style)}\n`);
    return { reply };
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

function answerLine(question: TextQuestion | ChoiceQuestion, reply: string, style: Style): string {
  const said =
    question.kind === 'text' ? reply : (question.choices.find(({ value }) => value === reply)?.name ?? reply);
  const line = `${question.text} ${printable(said).trim()}`;
  const fitting = fit(line, widthOf(process.stderr) - 2);
  return `${style.green('✓')} ${fitting.slice(0, question.text.length)}${style.cyan(fitting.slice(question.text.length))}`;
}

/** The keys that help are in the line below each list. */
function themeFor(style: Style): object {
  return {
    prefix: { idle: style.cyan('?'), done: style.green('✓') },
    style: {
      keysHelpTip: (keys: readonly (readonly [string, string])[]) =>
        style.dim(
          wrapText(
            [...keys.map(([key, action]) => `${key} ${action}`), 'esc back', '^C later'].join(' · '),
            widthOf(process.stderr),
          ),
        ),
    },
  };
}

interface Context {
  readonly clearPromptOnDone: boolean;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

function askText(library: Library, question: TextQuestion, context: Context, theme: object): Promise<string> {
  return library.input(
    {
      message: question.text,
      ...(question.standard === '' ? {} : { default: question.standard }),
      theme,
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
  const [width, theme] = [widthOf(process.stderr), themeFor(style)];
  for (;;) {
    const choices = question.choices.map((choice) => shown(choice, width));
    const chosen =
      choices.length > LONG_LIST
        ? await library.search(
            {
              message: question.text,
              pageSize: PAGE,
              default: question.standard,
              theme,
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
              theme,
              choices,
            },
            context,
          );
    const why = await refusal(question, chosen);
    if (why === null) return chosen;
    process.stderr.write(`${wrapped(`${style.red('✗')} `, printable(why), width).join('\n')}\n`);
  }
}

/** A choice as lines that fit: names and descriptions come from files of others. */
function shown(
  { value, name, description }: Choice,
  width: number,
): { value: string; name: string; description?: string; short: string } {
  const line = fit(printable(name), width - 4);
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
