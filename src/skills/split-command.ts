export type SplitResult =
  | { readonly isSplit: true; readonly words: readonly string[] }
  | { readonly isSplit: false; readonly reason: string };

/**
 * Splits a command line into words, as a person reads it and not as a shell runs it: blanks part words; '…' keeps
 * all; "…" keeps all but \" and \\; outside quotes a backslash keeps the next character. Nothing is expanded:
 * `$x`, `*`, `~`, `|`, `;` and `>` are ordinary characters. An open quote or a trailing backslash is refused.
 */
export function splitCommand(line: string): SplitResult {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    const next = line[i + 1];
    if (quote !== null) {
      if (char === quote) quote = null;
      else if (quote === '"' && char === '\\' && (next === '"' || next === '\\')) {
        word += next;
        i++;
      } else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '\\') {
      if (next === undefined) return { isSplit: false, reason: 'ends with a backslash' };
      word = (word ?? '') + next;
      i++;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (quote !== null) return { isSplit: false, reason: `has an open quote ${quote}` };
  if (word !== null) words.push(word);
  return words.length === 0 ? { isSplit: false, reason: 'is blank' } : { isSplit: true, words };
}

/** True when the line has what only a shell would act on, so that the author may be surprised. */
export function looksLikeShell(words: readonly string[]): boolean {
  return words.some((word) => /^(\||\|\||&&|;|&|<|>|>>|2>|2>&1)$/.test(word) || /;$/.test(word));
}
