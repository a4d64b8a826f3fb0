/** Control and format characters (bidi, zero width, tags), and spaces that aren't the space. */
const STRANGE = /[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]/u;
/** Further ones that show as nothing or as a blank: joiners, letters without a shape, hidden selectors. */
const UNSEEN: readonly (readonly [number, number])[] = [
  [0x034f, 0x034f],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xffa0, 0xffa0],
  [0xfffd, 0xfffd],
  [0xe0100, 0xe01ef],
];
/** Tab and newline are the shell's own. */
const NOT_PLAIN = /[^\t\n\x20-\x7e]/;
/** A joined line reads as two lines; after a blank it only ends a word, which both sides see alike. */
const JOINED_WORD = /[^\s]\\\n/;

/** Why people, this reader and a shell may read the text differently, or null. */
export function strangeCharacter(source: string): string | null {
  if (JOINED_WORD.test(source)) return 'a backslash joins two lines within a word';
  // Nearly all commands are plain ASCII: the Unicode classes cost ten times as much.
  if (!NOT_PLAIN.test(source)) return null;
  if (!source.isWellFormed()) return 'half of a surrogate pair';
  for (const character of source) {
    if (!NOT_PLAIN.test(character)) continue;
    const code = character.codePointAt(0) ?? 0;
    if (STRANGE.test(character) || UNSEEN.some(([from, to]) => code >= from && code <= to))
      return `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return null;
}
