import type { Checkpoint, CheckpointBody } from './checkpoint.ts';
import { isSignedBy } from './keys.ts';

/**
 * The anchor: a file of lines on another path than the database, to which each checkpoint is appended after its
 * commit. It tells when the end of the log was cut off, or all of it made anew. Several logs may share one file.
 */
export interface Anchor {
  /** Keys that the file names as those of the log, the first one being where trust begins. */
  readonly keys: readonly string[];
  readonly checkpoints: readonly AnchoredCheckpoint[];
  /** Lines, counted from 1, that are none of an anchor, or of which the signature does not hold. */
  readonly badLines: readonly number[];
  /** The text behind the last line end: a line that a crash cut, or the empty text. */
  readonly rest: string;
}

export interface AnchoredCheckpoint extends Checkpoint {
  readonly line: number;
  readonly says: CheckpointBody;
}

const HEAD = '{"anchor":';

/** The first line of a log in its anchor. */
export function anchorHead(log: string, key: string, home: string, at: number): string {
  return `${JSON.stringify({ anchor: { v: 1, log, key, home, begun_at: at } })}\n`;
}

export function anchorLine({ body, signature }: Pick<Checkpoint, 'body' | 'signature'>): string {
  return `{"checkpoint":${body},"signature":"${signature}"}\n`;
}

/** Whether the signature of a text holds. */
export type SignatureCheck = (key: string, text: string, signature: string) => boolean;

/** Reads what an anchor says of one log. Lines of other logs are passed over. */
export function parseAnchor(text: string, log: string, isSigned: SignatureCheck = isSignedBy): Anchor {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  const keys: string[] = [];
  const checkpoints: AnchoredCheckpoint[] = [];
  const badLines: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '' || isCut(line, lines[index + 1])) continue;
    const read = readLine(line, isSigned);
    if (read === null) badLines.push(index + 1);
    else if (read.log !== log) continue;
    else if (read.kind === 'head') keys.push(read.key);
    else checkpoints.push({ ...read.checkpoint, line: index + 1 });
  }
  return { keys, checkpoints, badLines, rest };
}

/** The lines of a text that name keys. */
export function headLines(text: string): string {
  const heads = text.split('\n').filter((line) => line.startsWith(HEAD));
  return heads.map((line) => `${line}\n`).join('');
}

/** A line that a crash cut short is followed by the same line as a whole. */
function isCut(line: string, next: string | undefined): boolean {
  return next !== undefined && next.length > line.length && next.startsWith(line);
}

type Line =
  | { readonly kind: 'head'; readonly log: string; readonly key: string }
  | {
      readonly kind: 'checkpoint';
      readonly log: string;
      readonly checkpoint: Omit<AnchoredCheckpoint, 'line'>;
    };

const CHECKPOINT_LINE = /^\{"checkpoint":(\{.*\}),"signature":"([\w-]+)"\}$/;

function readLine(line: string, isSigned: SignatureCheck): Line | null {
  try {
    const [, body, signature] = CHECKPOINT_LINE.exec(line) ?? [];
    if (body === undefined || signature === undefined) return readHead(JSON.parse(line));
    const says = JSON.parse(body) as CheckpointBody;
    if (says.v !== 1 || !isSigned(says.key, body, signature)) return null;
    const { number, seq } = says;
    return { kind: 'checkpoint', log: says.log, checkpoint: { number, seq, body, signature, says } };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function readHead(value: unknown): Line | null {
  if (typeof value !== 'object' || value === null || !('anchor' in value)) return null;
  const head = value.anchor;
  if (typeof head !== 'object' || head === null || !('log' in head) || !('key' in head)) return null;
  return { kind: 'head', log: String(head.log), key: String(head.key) };
}
