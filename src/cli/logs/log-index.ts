/** Bytes of a log that follow each other, as its index says: when they came, from which stream, how many. */
export interface Piece {
  readonly at: number;
  readonly stream: 'o' | 'e';
  bytes: number;
  /** False for what is not to be read. */
  readonly isWanted: boolean;
  /** The lines of the index that tell of it. */
  indexBytes: number;
}

export interface Wanted {
  /** UTC ms. */
  readonly since: number;
  /** In bytes of the whole log: what ends before it is not wanted. */
  readonly from: number;
  readonly stream: 'o' | 'e' | null;
}

const SPACE = 32;
const NEWLINE = 10;
const ZERO = 48;
const NINE = 57;
const LETTER_E = 101;
/** More digits are of nobody's clock or file, and would leave the range of dates and of exact numbers. */
const MOST = 1e14;

/**
 * The pieces that whole lines of an index tell of; `position` is where the first begins, in bytes of the whole log.
 * Byte by byte, and what has the same time and stream as one piece: a step that writes line by line has an index as
 * long as its log.
 */
export function piecesOf(index: Buffer, position: number, wanted: Wanted): Piece[] {
  const pieces: Piece[] = [];
  const whole = index.lastIndexOf(NEWLINE) + 1;
  let last: Piece | null = null;
  let lineFrom = 0;
  let at = 0;
  let bytes = 0;
  let field = 0;
  let stream: 'o' | 'e' = 'o';
  for (let offset = 0; offset < whole; offset += 1) {
    const byte = index[offset] ?? 0;
    if (byte >= ZERO && byte <= NINE) {
      if (field === 0 && at < MOST) at = at * 10 + byte - ZERO;
      else if (field === 2 && bytes < MOST) bytes = bytes * 10 + byte - ZERO;
    } else if (byte === SPACE) field += 1;
    else if (byte === LETTER_E) stream = 'e';
    else if (byte === NEWLINE) {
      position += bytes;
      const isWanted =
        at >= wanted.since && position > wanted.from && (wanted.stream === null || wanted.stream === stream);
      const indexBytes = offset + 1 - lineFrom;
      if (
        last !== null &&
        last.isWanted === isWanted &&
        last.stream === stream &&
        (!isWanted || last.at === at)
      ) {
        last.bytes += bytes;
        last.indexBytes += indexBytes;
      } else {
        last = { at, stream, bytes, isWanted, indexBytes };
        pieces.push(last);
      }
      lineFrom = offset + 1;
      at = 0;
      bytes = 0;
      field = 0;
      stream = 'o';
    }
  }
  return pieces;
}
