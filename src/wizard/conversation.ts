import { type Flow, type Question, refusal } from './question.ts';

/** A reply, and the question that it was given to. */
export interface Said {
  readonly id: string;
  readonly reply: string;
}

/** Who answers: a person at a terminal, or a test. */
export interface Asker {
  /** `back` takes the last reply back; `leave` ends the conversation for now. */
  ask(question: Question, isFirst: boolean): Promise<{ reply: string } | 'back' | 'leave'>;
  /** Text for the person. */
  tell(text: string): void;
}

export interface Conversation<T> {
  readonly start: () => Flow<T>;
  readonly asker: Asker;
  /** Replies of before: taken as far as the questions are still the same and take them. */
  readonly said: readonly Said[];
  /** Called with all replies after each change. */
  readonly keep: (said: readonly Said[]) => void;
}

/** Leads a conversation to its end. Null when the person left it. */
export async function converse<T>({
  start,
  asker,
  said,
  keep,
}: Conversation<T>): Promise<{ value: T } | null> {
  let replies = await stillGood(start, said);
  if (replies.length < said.length && said.length > 0)
    asker.tell(
      `${said.length - replies.length} of ${said.length} answers do not fit any more and are asked again.`,
    );
  for (;;) {
    const next = played(start, replies);
    if (next.done === true) return { value: next.value };
    const answer = await replyTo(next.value, asker, replies.length === 0);
    if (answer === 'leave') return null;
    replies =
      answer === 'back'
        ? withoutLast(start, replies)
        : [...replies, { id: next.value.id, reply: answer.reply }];
    keep(replies);
  }
}

async function replyTo(question: Question, asker: Asker, isFirst: boolean): ReturnType<Asker['ask']> {
  if (question.kind === 'work') {
    asker.tell(question.text);
    return { reply: await question.work() };
  }
  const note = await question.note?.();
  if (note !== undefined && note !== '') asker.tell(note);
  return asker.ask(question, isFirst);
}

function played<T>(start: () => Flow<T>, replies: readonly Said[]): IteratorResult<Question, T> {
  const flow = start();
  return replies.reduce((next, { reply }) => (next.done === true ? next : flow.next(reply)), flow.next());
}

async function stillGood<T>(start: () => Flow<T>, said: readonly Said[]): Promise<readonly Said[]> {
  const flow = start();
  let next = flow.next();
  for (const [index, { id, reply }] of said.entries()) {
    if (next.done === true || next.value.id !== id) return said.slice(0, index);
    if (next.value.kind !== 'work' && (await refusal(next.value, reply)) !== null)
      return said.slice(0, index);
    next = flow.next(reply);
  }
  return said;
}

/** Without the last reply that a person gave: work is not gone back to, it would only be done again. */
function withoutLast<T>(start: () => Flow<T>, replies: readonly Said[]): readonly Said[] {
  const asked = replies.map((_, index) => played(start, replies.slice(0, index)));
  const last = asked.findLastIndex((next) => next.done !== true && next.value.kind !== 'work');
  return replies.slice(0, Math.max(0, last));
}
