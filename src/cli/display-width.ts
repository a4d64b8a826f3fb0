/**
 * How many columns a terminal gives a text: two for East Asian wide characters and emoji, none for marks that combine
 * and for our own colours. After the ranges of East Asian Width in Unicode (UAX 11), by script where that is enough.
 */
export function displayWidth(text: string): number {
  let columns = 0;
  for (const character of text.replace(COLOUR, '')) columns += widthOfCharacter(character);
  return columns;
}

/** The beginning of a text that fits into `columns`; colours are kept, also those behind the cut. */
export function clipToWidth(text: string, columns: number): string {
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

const COLOUR = /\u001b\[[0-9;]*m/g;
const COLOUR_PARTS = /(\u001b\[[0-9;]*m)/;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]/u;

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
