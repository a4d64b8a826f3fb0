import type { Word, WordPart } from 'unbash';
import { expandBraces } from './braces.ts';
import { type Argument, LIMITS } from './reading.ts';

const UNKNOWN: readonly Argument[] = [null];

/**
 * The words that one word of the source becomes. Exact where quotes and braces are static; a variable, substitution,
 * glob or tilde makes it [null]: any number of words. Never throws.
 */
export function wordValues(word: Word): readonly Argument[] {
  const { parts, text } = word;
  // `a=~/x` and `a:~/x` are expanded in places that depend on the shell's mode.
  if (text.startsWith('~') || /[=:]~/.test(text)) return UNKNOWN;
  if (parts === undefined) return [word.value];
  let values = [''];
  for (const part of parts) {
    const pieces = part.type === 'BraceExpansion' ? expandBraces(part.text) : fixedText(part);
    if (pieces === null || values.length * pieces.length > LIMITS.braceWords) return UNKNOWN;
    // Bash varies the last brace fastest.
    values = values.flatMap((value) => pieces.map((piece) => value + piece));
  }
  const isQuoted = parts.some((part) => part.type !== 'BraceExpansion' && part.type !== 'Literal');
  // An empty word out of braces vanishes unless quotes made it.
  return isQuoted ? values : values.filter((value) => value !== '');
}

/** The one static value of a word that is never split (assignments, redirect targets), or null. */
export function singleValue(word: Word): string | null {
  const values = wordValues(word);
  return values.length === 1 ? (values[0] ?? null) : null;
}

function fixedText(part: WordPart): string[] | null {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return [part.value];
    // A byte that is no UTF-8 has no character here but is a byte to the program.
    case 'AnsiCQuoted':
      return part.value.includes('\ufffd') ? null : [part.value];
    case 'DoubleQuoted': {
      let value = '';
      for (const child of part.parts) {
        if (child.type !== 'Literal') return null;
        value += child.value;
      }
      return [value];
    }
    default:
      return null;
  }
}
