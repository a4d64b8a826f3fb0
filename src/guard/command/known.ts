import type { Word, WordPart } from 'unbash';
import type { Places } from './places.ts';
import type { KnownVariables } from './variables.ts';

/** What is known beside the text of a word, in a second reading. */
export interface Known {
  /** All values that a variable is given in the whole text. */
  readonly variables: KnownVariables;
  /** The names that a pattern stands for in a folder (from where the whole command starts); null: not known. */
  readonly files: (pattern: string, folder: string) => readonly string[] | null;
  /** Whether nobody knows the folder of what stands in a loop or function, or of anything else. */
  readonly isLost: (isFloating: boolean) => boolean;
}

/** One way to fill in the words of a command. */
export interface Filling {
  readonly variables: ReadonlyMap<string, string>;
  readonly files: (pattern: string) => readonly string[] | null;
}

/** Where words stand: see Frame. */
interface Standing {
  readonly known?: Known | undefined;
  readonly places: Places;
  readonly surelySet: ReadonlySet<string>;
  readonly isFloating: boolean;
}

export const NO_FILLING: Filling = { variables: new Map(), files: () => null };

/** Values of variables of one command together; beyond it they stay unknown. */
const MAX_FILLINGS = 32;

/** Every way to fill in these words: one for each value of their variables. Never empty. */
export function fillingsOf(
  { known, places, surelySet, isFloating }: Standing,
  words: readonly Word[],
): readonly Filling[] {
  if (known === undefined) return [NO_FILLING];
  const files = (pattern: string): readonly string[] | null => {
    if (known.isLost(isFloating)) return null;
    const found = places.list.map((place) => (place === null ? null : known.files(pattern, place)));
    return found.includes(null) ? null : [...new Set(found.flatMap((each) => each ?? []))];
  };
  let fillings: readonly ReadonlyMap<string, string>[] = [new Map()];
  for (const name of new Set(words.flatMap(variablesOf))) {
    const values = known.variables.get(name);
    if (values === undefined) continue;
    // Where nobody knows that it is set by then, it may be empty as well, or one of the environment.
    if (!surelySet.has(name) && !/^[a-z]/.test(name)) continue;
    const all = surelySet.has(name) ? values : [...new Set([...values, ''])];
    if (fillings.length * all.length > MAX_FILLINGS) continue;
    fillings = fillings.flatMap((each) => all.map((value) => new Map([...each, [name, value]])));
  }
  return fillings.map((variables) => ({ variables, files }));
}

function variablesOf({ parts = [] }: Word): readonly string[] {
  return parts.flatMap((part) =>
    part.type === 'DoubleQuoted' ? part.parts.flatMap(variableOf) : variableOf(part),
  );
}

/** Every variable that a word uses, but for those within its substitutions. */
export function variablesIn({ parts = [] }: Word): readonly string[] {
  return parts
    .flatMap((part): readonly WordPart[] => (part.type === 'DoubleQuoted' ? part.parts : [part]))
    .flatMap((part) => {
      if (part.type === 'SimpleExpansion') return [part.text.slice(1)];
      // What is no number is told in its error.
      if (part.type === 'ArithmeticExpansion') return namesIn(part.text);
      if (part.type !== 'ParameterExpansion') return [];
      const { parameter, index, operation, text } = part;
      if (index !== undefined || operation?.type === 'Slice') return [parameter, ...namesIn(text)];
      return [parameter, ...[...text.slice(2).matchAll(/\$\{?(\w+)/g)].map((found) => found[1] ?? '')];
    });
}

function namesIn(text: string): readonly string[] {
  return text.match(/(?<!\w)[A-Za-z_]\w*/g) ?? [];
}

/** The name in `$f` or `${f}`; none where more is done to its value. */
export function variableOf(part: WordPart): readonly string[] {
  if (part.type === 'SimpleExpansion') return [part.text.slice(1)];
  if (part.type !== 'ParameterExpansion') return [];
  const { prefix, index, operation, parameter } = part;
  return prefix === undefined && index === undefined && operation === undefined ? [parameter] : [];
}
