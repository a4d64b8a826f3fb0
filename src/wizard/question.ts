/**
 * Questions, and conversations made of them. A conversation is a generator that yields questions and is sent replies;
 * it decides nothing but by the replies, so that it can be played again from its beginning: that is how Back and a
 * kept draft work.
 */

interface QuestionBase {
  /** What it is about, such as `steps/0/inputs/url`: a kept reply is given to the question of this id only. */
  readonly id: string;
  readonly text: string;
  /** Shown above the question. */
  readonly note?: () => string | Promise<string>;
  /** Why a reply is not taken; null for a good one. */
  readonly check?: (reply: string) => string | null | Promise<string | null>;
}

export interface TextQuestion extends QuestionBase {
  readonly kind: 'text';
  /** Taken when nothing is typed. */
  readonly standard: string;
}

export interface ChoiceQuestion extends QuestionBase {
  readonly kind: 'choice';
  readonly choices: readonly Choice[];
  /** A value; where the cursor is at first. */
  readonly standard: string;
}

/** Something that takes its time and whose outcome is kept like a reply. */
export interface WorkQuestion extends QuestionBase {
  readonly kind: 'work';
  readonly work: () => Promise<string>;
}

export interface Choice {
  readonly value: string;
  readonly name: string;
  /** A line about it, shown while the cursor is on it. */
  readonly description?: string;
}

export type Question = TextQuestion | ChoiceQuestion | WorkQuestion;

/** A conversation that ends with a value. */
export type Flow<T> = Generator<Question, T, string>;

export function* ask(
  id: string,
  text: string,
  more: Partial<Omit<TextQuestion, 'id' | 'text' | 'kind'>> = {},
): Flow<string> {
  const reply = yield { kind: 'text', id, text, standard: '', ...more };
  return reply.trim();
}

export function* choose(
  id: string,
  text: string,
  choices: readonly Choice[],
  more: Partial<Omit<ChoiceQuestion, 'id' | 'text' | 'kind' | 'choices'>> = {},
): Flow<string> {
  return yield { kind: 'choice', id, text, choices, standard: choices[0]?.value ?? '', ...more };
}

export function* confirm(
  id: string,
  text: string,
  standard: 'yes' | 'no',
  more: Partial<Pick<ChoiceQuestion, 'note'>> = {},
): Flow<boolean> {
  const choices = [
    { value: 'yes', name: 'Yes' },
    { value: 'no', name: 'No' },
  ];
  return (yield* choose(id, text, choices, { standard, ...more })) === 'yes';
}

export function* work(id: string, text: string, run: () => Promise<string>): Flow<string> {
  return yield { kind: 'work', id, text, work: run };
}

/** Why a question does not take a reply, also one that is none of its choices. */
export async function refusal(question: Question, reply: string): Promise<string | null> {
  if (question.kind === 'choice' && !question.choices.some(({ value }) => value === reply))
    return `"${reply}" is none of the choices`;
  return (await question.check?.(reply)) ?? null;
}
