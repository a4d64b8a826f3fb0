/**
 * How many columns a terminal gives a text: two for East Asian wide characters and emoji, none for marks that combine
 * and for our own colours. After the ranges of East Asian Width in Unicode (UAX 11), by script where that is enough.
 */
export function displayWidth(text: string): number {
  const bare = text.includes('\u001b') ? text.replace(COLOUR, '') : text;
  if (PLAIN_TEXT.test(bare)) return bare.length;
  let columns = 0;
  for (const character of bare) columns += widthOfCharacter(character);
  return columns;
}

/** The beginning of a text that fits into `columns`; colours are kept, also those behind the cut. */
export function clipToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let left = columns;
  let clipped = '';
  for (const piece of text.split(COLOUR_PARTS)) {
    if (piece.startsWith('\u001b')) {
      clipped += piece;
      continue;
    }
    for (const character of piece) {
      left -= widthOfCharacter(character);
      if (left < 0) break;
      clipped += character;
    }
  }
  return clipped;
}

/** A text in two: what fits into `columns`, and the rest. A colour that is on at the cut goes on in the rest. */
export function splitAtWidth(text: string, columns: number): readonly [string, string] {
  let left = columns;
  let at = 0;
  for (const piece of text.split(COLOUR_PARTS)) {
    if (!piece.startsWith('\u001b'))
      for (const character of piece) {
        left -= widthOfCharacter(character);
        if (left < 0) return [text.slice(0, at), text.slice(at)];
        at += character.length;
      }
    else at += piece.length;
  }
  return [text, ''];
}

/** A text in `columns`, with an ellipsis where something is missing; colours end where they would. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  return columns < 1 ? '' : `${withoutEndBlanks(clipToWidth(text, columns - 1))}…`;
}

/** Also those before colours that end there. */
function withoutEndBlanks(text: string): string {
  return text.replace(/(?: |\u001b\[[0-9;]*m)+$/, (end) => end.replaceAll(' ', ''));
}

/** Most texts: each character takes one column. */
const PLAIN_TEXT = /^[ -~]*$/;
const COLOUR = /\u001b\[[0-9;]*m/g;
const COLOUR_PARTS = /(\u001b\[[0-9;]*m)/;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]/u;

/** Asking Unicode's tables takes longer than drawing does, and a screen has few characters. */
const KNOWN = new Map<number, number>();
const MAX_KNOWN = 4096;

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  const known = KNOWN.get(code);
  if (known !== undefined) return known;
  const columns = ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  // A log may have every character there is.
  if (KNOWN.size >= MAX_KNOWN) KNOWN.clear();
  KNOWN.set(code, columns);
  return columns;
}
