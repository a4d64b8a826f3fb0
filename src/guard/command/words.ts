import type { CommandExpansionPart, Word, WordPart } from 'unbash';
import { expandBraces } from './braces.ts';
import { type Filling, NO_FILLING, variableOf } from './known.ts';
import { type Argument, LIMITS } from './reading.ts';

const UNKNOWN: readonly Argument[] = [null];

/**
 * The words that one word of the source becomes. Exact where quotes and braces are static, and where a filling says what
 * its variables and patterns stand for; any other variable, substitution, glob or tilde makes it [null]: any number of
 * words. Never throws.
 */
export function wordValues(word: Word, filling: Filling = NO_FILLING): readonly Argument[] {
  const { parts, text } = word;
  // `a=~/x` and `a:~/x` are expanded in places that depend on the shell's mode.
  if (text.startsWith('~') || /[=:]~/.test(text)) return UNKNOWN;
  if (parts === undefined) return [word.value];
  if (parts.some(({ type }) => type === 'Glob')) return namesOf(parts, filling) ?? UNKNOWN;
  // Braces come first: `$v{a,b}` is `$va $vb`.
  if (parts.some(({ type }, at) => type === 'SimpleExpansion' && parts[at + 1]?.type === 'BraceExpansion'))
    return UNKNOWN;
  let values = [''];
  for (const part of parts) {
    const pieces = part.type === 'BraceExpansion' ? expandBraces(part.text) : fixedText(part, filling);
    if (pieces === null || values.length * pieces.length > LIMITS.braceWords) return UNKNOWN;
    // Bash varies the last brace fastest.
    values = values.flatMap((value) => pieces.map((piece) => value + piece));
  }
  const isQuoted = parts.some(({ type }) => !UNQUOTED.has(type));
  // An empty word out of braces or variables vanishes unless quotes made it.
  return isQuoted ? values : values.filter((value) => value !== '');
}

const UNQUOTED: ReadonlySet<WordPart['type']> = new Set([
  'BraceExpansion',
  'Literal',
  'SimpleExpansion',
  'ParameterExpansion',
]);

/** The one static value of a word that is never split (assignments, redirect targets), or null. */
export function singleValue(word: Word, filling: Filling = NO_FILLING): string | null {
  // The braces of `v=a{1..1}` stay as they are.
  if (word.parts?.some(({ type }) => type === 'BraceExpansion') === true) return null;
  const values = wordValues(word, { ...filling, files: () => null });
  return values.length === 1 ? (values[0] ?? null) : null;
}

function fixedText(part: WordPart, filling: Filling): string[] | null {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return [part.value];
    // A byte that is no UTF-8 has no character here but is a byte to the program.
    case 'AnsiCQuoted':
      return part.value.includes('\ufffd') ? null : [part.value];
    case 'SimpleExpansion':
    case 'ParameterExpansion': {
      // Without quotes a value is taken apart at spaces, and a pattern in it becomes names.
      const value = heldBy(part, filling);
      return value !== null && /^[\w./@%+,:=-]*$/.test(value) ? [value] : null;
    }
    case 'DoubleQuoted': {
      let value = '';
      for (const child of part.parts) {
        const piece =
          child.type === 'Literal'
            ? child.value
            : child.type === 'CommandExpansion'
              ? shownText(child)
              : heldBy(child, filling);
        if (piece === null) return null;
        value += piece;
      }
      return [value];
    }
    default:
      return null;
  }
}

function heldBy(part: WordPart, { variables }: Filling): string | null {
  const [name] = variableOf(part);
  return name === undefined ? null : (variables.get(name) ?? null);
}

/** `$(cat <<'EOF' …)` is the text of its here-document: people write messages of several lines so. */
function shownText({ script }: CommandExpansionPart): string | null {
  const [statement, ...others] = script?.commands ?? [];
  if (statement === undefined || others.length > 0 || (script?.errors?.length ?? 0) > 0) return null;
  const { command, background } = statement;
  if (command.type !== 'Command' || background === true || command.prefix.length > 0) return null;
  const [redirect, ...more] = command.suffix;
  const isCat = command.name?.value === 'cat' && command.name.parts === undefined;
  if (!isCat || redirect?.type !== 'HereDoc' || more.length > 0) return null;
  const { operator, delimiter, descriptor, body } = redirect;
  if (operator !== '<<' || delimiter === undefined || descriptor !== undefined) return null;
  if (!delimiter.quoted && /[$`\\]/.test(body.text)) return null;
  return body.text.replace(/\n+$/, '');
}

/** The files that a pattern of `*` and `?` names; null where nobody says, or it holds more than those. */
function namesOf(parts: readonly WordPart[], filling: Filling): readonly string[] | null {
  let pattern = '';
  for (const part of parts) {
    if (part.type === 'Glob') {
      if (part.kind === 'bracket') return null;
      pattern += part.value;
      continue;
    }
    const [text = null, ...others] = part.type === 'BraceExpansion' ? [] : (fixedText(part, filling) ?? []);
    if (text === null || others.length > 0 || /[*?[\]\\]/.test(text)) return null;
    pattern += text;
  }
  return filling.files(pattern);
}
