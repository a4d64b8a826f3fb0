import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';
import { writeDurably } from '../protocol/durable-file.ts';
import { type Home, prepareHome } from '../protocol/home.ts';
import type { Said } from './conversation.ts';

/** The replies of a conversation that was left. */
export interface KeptDraft {
  /** What it is about: a later one about something else does not take its replies. */
  readonly subject: string;
  /** UTC ms. */
  readonly at: number;
  readonly said: readonly Said[];
}

export interface DraftFile {
  readonly file: string;
  read(): KeptDraft | null;
  write(draft: KeptDraft): void;
  remove(): void;
}

const VERSION = 1;

/**
 * The draft of a workspace (create) or a file (edit), in the state folder: only its owner reads it. Throws where that
 * folder cannot be used.
 */
export function draftFile(home: Home, key: string): DraftFile {
  const folder = home.draftsFolder;
  const file = join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 24)}.json`);
  // Before the first question: a state folder that cannot be used must not cost answers.
  prepareHome(home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    file,
    read: () => readDraft(file),
    write: (draft) => writeDurably(file, `${JSON.stringify({ version: VERSION, ...draft })}\n`),
    remove: () => rmSync(file, { force: true }),
  };
}

/** Null for one that is not there, or of another version or form: it helps nobody. */
function readDraft(file: string): KeptDraft | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isDraft(parsed) ? parsed : null;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function isDraft(value: unknown): value is KeptDraft {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== VERSION)
    return false;
  if (!('subject' in value) || typeof value.subject !== 'string') return false;
  if (!('at' in value) || typeof value.at !== 'number' || !('said' in value) || !Array.isArray(value.said))
    return false;
  return value.said.every((each: unknown) => {
    const isObject = typeof each === 'object' && each !== null;
    return (
      isObject &&
      'id' in each &&
      typeof each.id === 'string' &&
      'reply' in each &&
      typeof each.reply === 'string'
    );
  });
}
