import { ago } from '../cli/text/style.ts';
import { type Asker, converse, type Said } from './conversation.ts';
import type { DraftFile } from './draft-file.ts';
import { choose, type Flow } from './question.ts';

export interface KeptConversation<T> {
  readonly start: () => Flow<T | null>;
  readonly asker: Asker;
  readonly draft: DraftFile;
  /** Replies that were kept for another subject are not taken. */
  readonly subject: string;
  /** How the person comes back. */
  readonly command: string;
}

/**
 * Leads a conversation whose replies are on the disk before the next question. Null: the person left it (the draft
 * stays) or threw it away. Whoever acts on its value removes the draft then.
 */
export async function leadKept<T>({
  start,
  asker,
  draft,
  subject,
  command,
}: KeptConversation<T>): Promise<T | null> {
  const said = await keptReplies(draft, subject, asker);
  if (said === null) return null;
  asker.tell('Escape goes back one question. Ctrl-C leaves; the answers are kept.');
  const keep = (replies: readonly Said[]): void => draft.write({ subject, at: Date.now(), said: replies });
  const ended = await converse({ start, asker, said, keep });
  if (ended === null) {
    asker.tell(draft.read() === null ? '' : `\nYour answers are kept: ${command} goes on where you were.`);
    return null;
  }
  if (ended.value !== null) return ended.value;
  draft.remove();
  asker.tell('Nothing was saved.');
  return null;
}

/** The replies to begin with: those of a draft, when the person wants to go on with it. Null: they left. */
async function keptReplies(draft: DraftFile, subject: string, asker: Asker): Promise<readonly Said[] | null> {
  const kept = draft.read();
  if (kept === null || kept.subject !== subject || kept.said.length === 0) return [];
  const name = kept.said.find(({ id }) => id === 'name')?.reply;
  const about = `${kept.said.length} answers${name === undefined ? '' : ` about "${name}"`}`;
  const when = ago(new Date(kept.at).toISOString(), Date.now());
  const question = function* (): Flow<string> {
    return yield* choose('go-on', `There is a draft from ${when}: ${about}`, [
      { value: 'go-on', name: 'go on with it' },
      { value: 'anew', name: 'begin anew' },
    ]);
  };
  const ended = await converse({ start: question, asker, said: [], keep: () => undefined });
  if (ended === null) return null;
  if (ended.value === 'go-on') return kept.said;
  draft.remove();
  return [];
}
