import { printable } from '../text/style.ts';
import { COLUMN_NAMES } from './columns.ts';
import { type Candidate, type Commands, type ValueRequest, wanted } from './request.ts';
import type { Sources } from './sources.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/**
 * What the shell's script reads: a line for each candidate, the value and what it is, parted by a tab; a first line
 * `:files` or `:folders` has the shell complete those as well. `words` follow `q` or `q-workflow`.
 */
export async function complete(
  shell: Shell,
  words: readonly string[],
  commands: Commands,
  sources: Sources,
): Promise<string> {
  const joined = shell === 'bash' ? joinedWords(words) : { words, cut: 0 };
  const line =
    joined.words[0] === 'workflow' && joined.words.length > 1 ? joined.words.slice(1) : joined.words;
  const current = line.at(-1) ?? '';
  const request = wanted(line, commands);
  const { candidates, paths } =
    request.kind === 'fixed'
      ? { candidates: request.candidates, paths: null }
      : await found(request, { line, current }, sources);
  const lines = candidates
    .filter(({ value }) => value.startsWith(current) && SAFE.test(value))
    .map(({ value, description }) => `${value.slice(joined.cut)}\t${short(description)}`);
  return [...(paths === null ? [] : [paths]), ...lines].map((text) => `${text}\n`).join('');
}

/**
 * Names come from files of others, and a person presses Enter after Tab: a name that a shell would read as more than
 * a word is not offered.
 */
const SAFE = /^[\w.,/:@%+~=![\]-]+$/;

function short(description: string): string {
  const [first = ''] = printable(description).split(/(?<=\.) /);
  return first.length <= 80 ? first : `${first.slice(0, 79)}…`;
}

/**
 * bash parts words at `=`, `:` and `@` (COMP_WORDBREAKS) and replaces only what follows the last of them; an `@` itself
 * belongs to what it replaces (rl_special_prefixes).
 */
function joinedWords(words: readonly string[]): { words: readonly string[]; cut: number } {
  const joined: string[] = [];
  let isOpen = false;
  for (const word of words) {
    const isSign = word === '=' || word === ':' || word === '::';
    if ((isSign || isOpen || word.startsWith('@')) && joined.length > 0)
      joined.push(`${joined.pop() ?? ''}${word}`);
    else joined.push(word);
    isOpen = isSign;
  }
  const current = joined.at(-1) ?? '';
  const after = Math.max(current.lastIndexOf('='), current.lastIndexOf(':')) + 1;
  return { words: joined, cut: Math.max(after, current.lastIndexOf('@')) };
}

interface Found {
  readonly candidates: readonly Candidate[];
  readonly paths: ':files' | ':folders' | null;
}

const LATEST: Candidate = { value: 'latest', description: 'the newest instance' };

async function found(
  { name, given, prefix, also }: ValueRequest,
  { line, current }: { readonly line: readonly string[]; readonly current: string },
  sources: Sources,
): Promise<Found> {
  const [command = ''] = line;
  const only = (candidates: readonly Candidate[], paths: Found['paths'] = null): Found => ({
    candidates: [
      ...also,
      ...candidates.map(({ value, description }) => ({ value: prefix + value, description })),
    ],
    paths,
  });
  // Names first, and the versions of one once its `@` is there: that keeps the list of names short.
  const versioned = /^([a-z0-9-]+)@/.exec(current)?.[1];
  if (versioned !== undefined && (name === 'workflow' || name === 'target'))
    return only(await sources.versions(versioned));
  switch (name) {
    case 'workflow':
      return only(await sources.workflows(), command === 'run' || command === 'show' ? ':files' : null);
    case 'name':
      return only(await sources.workflows());
    case 'id':
    case 'instance':
      return only([LATEST, ...(await sources.instances())]);
    case 'target':
      return only([...(await sources.workflows()), LATEST, ...(await sources.instances())], ':files');
    case 'step':
      return only(await sources.steps(given[0] ?? 'latest'));
    case 'from':
      return only(command === 'resume' ? await sources.steps(given[0] ?? 'latest') : []);
    case 'scope':
      return only(await scopes(sources));
    case 'input':
      return only(await sources.inputs(given[0] ?? ''));
    case 'context':
      return only(await sources.contexts(given[0] ?? ''));
    case 'param':
      return only(await sources.parameters(given[0] ?? ''));
    case 'sort':
      return only(sortings(columnsOf(line), prefix));
    case 'filter':
      return only(columnsOf(line).map((column) => ({ value: `${column}=`, description: '' })));
    case 'skill':
      return only(await sources.skills(), ':files');
    case 'agent':
      return only(await sources.agents(), ':files');
    case 'code':
      return only(sources.codes());
    case 'workspace':
      return only([], ':folders');
    case 'file':
    case 'policy':
    case 'cases':
    case 'database':
    case 'anchor':
      return only([], ':files');
    default:
      return only([]);
  }
}

async function scopes(sources: Sources): Promise<readonly Candidate[]> {
  const [workflows, instances] = await Promise.all([sources.workflows(), sources.instances()]);
  return [
    { value: 'global', description: 'everything' },
    ...workflows.map(({ value, description }) => ({ value: `workflow:${value}`, description })),
    ...instances.map(({ value, description }) => ({ value: `instance:${value}`, description })),
  ];
}

function columnsOf(line: readonly string[]): readonly string[] {
  return COLUMN_NAMES[line.slice(0, 2).join(' ')] ?? COLUMN_NAMES[line[0] ?? ''] ?? [];
}

/** From the other end only behind `--sort=`: as a word of its own `-name` would be a flag. */
function sortings(columns: readonly string[], prefix: string): Candidate[] {
  const names = prefix === '' ? columns : [...columns, ...columns.map((column) => `-${column}`)];
  return names.map((value) => ({ value, description: '' }));
}
