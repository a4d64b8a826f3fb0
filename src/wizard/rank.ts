interface Named {
  readonly name: string;
  readonly description: string;
}

/** Words that say nothing about what a thing does. */
const EMPTY_WORDS = new Set(
  'a all an and are as at be by do each every for from get has have if in into is it its make me my new of on one or our out run so step that the their them then this to up use with'.split(
    ' ',
  ),
);
/** A word in the name counts for more than one in the description. */
const NAME_WEIGHT = 3;

/** Those that share words with the purpose first, best first; the others stay as they are. */
export function ranked<T extends Named>(parts: readonly T[], purpose: string): readonly T[] {
  const scored = parts.map((part, index) => ({ part, index, score: scoreOf(part, purpose) }));
  return scored.sort((a, b) => b.score - a.score || a.index - b.index).map(({ part }) => part);
}

/** How much the words of a part overlap with those of the purpose; 0 = not at all. */
export function scoreOf({ name, description }: Named, purpose: string): number {
  const wanted = wordsOf(purpose);
  return overlap(wordsOf(name), wanted) * NAME_WEIGHT + overlap(wordsOf(description), wanted);
}

function overlap(words: ReadonlySet<string>, wanted: ReadonlySet<string>): number {
  return [...words].filter((word) => [...wanted].some((other) => isSame(word, other))).length;
}

/** fetch and fetches, report and reporting: one begins with the other. Short words must be the same. */
function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= 4 && long.length - short.length <= 3 && long.startsWith(short);
}

function wordsOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length > 1 && !EMPTY_WORDS.has(word)));
}
