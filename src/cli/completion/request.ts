/** What a half written command line asks for. Pure: the commands come from the manifest that the build wrote. */

export interface ManifestFlag {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly description?: string;
  readonly options?: readonly string[];
  readonly multiple?: boolean;
  readonly hidden?: boolean;
}

interface ManifestArgument {
  readonly description?: string;
  readonly options?: readonly string[];
  readonly multiple?: boolean;
}

export interface ManifestCommand {
  readonly description?: string;
  readonly hidden?: boolean;
  readonly args: Readonly<Record<string, ManifestArgument>>;
  readonly flags: Readonly<Record<string, ManifestFlag>>;
}

/** By id, words parted by blanks and without the first one, `workflow`: `run`, `kill status`. */
export type Commands = ReadonlyMap<string, ManifestCommand>;

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Either the candidates themselves, or where they are to be looked for. */
export type Wanted = { readonly kind: 'fixed'; readonly candidates: readonly Candidate[] } | ValueRequest;

/** The value of an argument or flag by its name. `given` are the arguments before it; `also` may stand there as well. */
export interface ValueRequest {
  readonly kind: 'value';
  readonly name: string;
  readonly given: readonly string[];
  readonly prefix: string;
  readonly also: readonly Candidate[];
}

/** `words` are what follows `q workflow`, the last one half written (and empty when nothing of it is). */
export function wanted(words: readonly string[], commands: Commands): Wanted {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const id = commandOf(before, commands);
  const command = id === null ? undefined : commands.get(id);
  const length = id === null ? 0 : id.split(' ').length;
  const isNaming = before.length === length;
  if (command === undefined) return fixed(nextWords(before, commands), current);
  const { given, flag } = readWords(before.slice(length), command);
  if (flag !== null) return wantedValue(flag, command.flags[flag]?.options, given, '', current);
  const equals = /^--([\w-]+)=/.exec(current);
  if (equals !== null && command.flags[equals[1] ?? '']?.type === 'option')
    return wantedValue(equals[1] ?? '', command.flags[equals[1] ?? '']?.options, given, equals[0], current);
  if (current.startsWith('-')) return fixed(flagsOf(command, before), current);
  const topics = isNaming ? nextWords(before, commands) : [];
  const [name, arg] = argumentAt(command, given.length) ?? [];
  if (name === undefined) return fixed(topics, current);
  const value = wantedValue(name, arg?.options, given, '', current);
  // `kill` is a command and has others below it: both can follow.
  return value.kind === 'value' ? { ...value, also: topics } : value;
}

/** One that takes several takes all that follow. */
function argumentAt({ args }: ManifestCommand, index: number): [string, ManifestArgument] | undefined {
  const all = Object.entries(args);
  const last = all.at(-1);
  return all[index] ?? (last?.[1].multiple === true ? last : undefined);
}

/** The longest command that the words spell. */
function commandOf(words: readonly string[], commands: Commands): string | null {
  for (let count = Math.min(2, words.length); count > 0; count -= 1) {
    const id = words.slice(0, count).join(' ');
    if (commands.has(id)) return id;
  }
  return null;
}

/** Commands and topics that may follow the words. */
function nextWords(before: readonly string[], commands: Commands): Candidate[] {
  const prefix = before.map((word) => `${word} `).join('');
  const next = new Map<string, string>();
  for (const [id, { description = '', hidden }] of commands) {
    if (!id.startsWith(prefix) || hidden === true) continue;
    const [word = '', ...more] = id.slice(prefix.length).split(' ');
    if (more.length === 0) next.set(word, description);
    else if (!next.has(word)) next.set(word, `${word}: ${description}`);
  }
  return [...next].map(([value, description]) => ({ value, description }));
}

/** The arguments among the words, and the flag whose value comes next. */
function readWords(
  words: readonly string[],
  { flags }: ManifestCommand,
): { given: readonly string[]; flag: string | null } {
  const given: string[] = [];
  let flag: string | null = null;
  for (const word of words) {
    if (flag !== null) flag = null;
    else if (word.startsWith('--')) flag = flags[word.slice(2)]?.type === 'option' ? word.slice(2) : null;
    else if (/^-\w$/.test(word)) {
      const [name, found] = Object.entries(flags).find(([, { char }]) => char === word[1]) ?? [];
      flag = found?.type === 'option' && name !== undefined ? name : null;
    } else if (!word.startsWith('-')) given.push(word);
  }
  return { given, flag };
}

/** Those that are not there yet; more than once only where that means something. */
function flagsOf({ flags }: ManifestCommand, before: readonly string[]): Candidate[] {
  return Object.entries(flags)
    .filter(
      ([name, { multiple, hidden }]) =>
        hidden !== true && (multiple === true || !before.includes(`--${name}`)),
    )
    .map(([name, { description = '' }]) => ({ value: `--${name}`, description }))
    .concat([{ value: '--help', description: 'what this command does, with examples' }]);
}

function wantedValue(
  name: string,
  options: readonly string[] | undefined,
  given: readonly string[],
  prefix: string,
  current: string,
): Wanted {
  if (options === undefined) return { kind: 'value', name, given, prefix, also: [] };
  return fixed(
    options.map((option) => ({ value: prefix + option, description: '' })),
    current,
  );
}

function fixed(candidates: readonly Candidate[], current: string): Wanted {
  return { kind: 'fixed', candidates: candidates.filter(({ value }) => value.startsWith(current)) };
}
