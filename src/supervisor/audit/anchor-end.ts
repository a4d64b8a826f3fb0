import { anchorLine, headLines, parseAnchor, type SignatureCheck } from '../../audit/anchor.ts';
import { readAnchor, readAnchorEnds } from '../../audit/anchor-file.ts';
import type { Checkpoint } from '../../audit/checkpoint.ts';
import { isSignedBy } from '../../audit/keys.ts';

/** Of each end of the file: some 160 lines. It grows for years, and a start of the supervisor reads no more than that. */
const END_BYTES = 64 * 1024;
/** Checkpoints of the database that lines at the end of the anchor are held against. */
export const RECENT = 200;

/** The lines of an anchor that name keys, and the last ones of a log. Null when there is no file. */
export function readAnchorEnd(
  file: string,
  { log, publicKey }: { readonly log: string; readonly publicKey: string },
): string | null {
  const ends = readAnchorEnds(file, END_BYTES);
  if (ends === null) return null;
  const brief = headLines(ends.begin) + ends.end;
  const { keys, checkpoints } = parseAnchor(brief, log, () => true);
  if (ends.begin === '' || (keys.includes(publicKey) && checkpoints.length > 0)) return brief;
  // Another log wrote the end of a file that they share, or the key was changed somewhere between.
  const whole = readAnchor(file) ?? '';
  const own = whole.split('\n').filter((line) => line.includes(log) && headLines(line) === '');
  return `${headLines(whole)}${own.slice(-RECENT).join('\n')}${whole.endsWith('\n') ? '\n' : ''}`;
}

/** What is in the database word for word was signed by it, and costs no arithmetic. */
export function signedOrKnown(recent: readonly Checkpoint[]): SignatureCheck {
  const known = new Set(recent.map(anchorLine));
  return (key, body, signature) =>
    known.has(anchorLine({ body, signature })) || isSignedBy(key, body, signature);
}
