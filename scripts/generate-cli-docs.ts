/** usage: sh scripts/node scripts/generate-cli-docs.ts   writes docs/cli.md from oclif.manifest.json, which the build made */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/protocol/install.ts';

export const CLI_DOCS = 'docs/cli.md';

interface Flag {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly description?: string;
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly default?: string | number | boolean;
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly hidden?: boolean;
}

interface Argument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
}

interface ManifestCommand {
  readonly id: string;
  readonly description?: string;
  readonly hidden?: boolean;
  readonly strict?: boolean;
  readonly examples?: readonly (string | { readonly command: string; readonly description?: string })[];
  readonly args: Readonly<Record<string, Argument>>;
  readonly flags: Readonly<Record<string, Flag>>;
}

/** Flags of every command, told once. */
const SHARED = ['json', 'workspace', 'help'];

/** The whole page. */
export function cliDocs(root: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
    commands: Record<string, ManifestCommand>;
  };
  const commands = Object.values(manifest.commands)
    .filter(({ hidden }) => hidden !== true)
    .sort((a, b) => (wordsOf(a) < wordsOf(b) ? -1 : 1));
  return [
    '# Commands',
    '',
    'Generated from the commands by `scripts/generate-cli-docs.ts`; do not edit. What they have in common is in',
    '[command-line.md](command-line.md): exit statuses, lists, logs, completion.',
    '',
    'Installed alone the program is called `q-workflow`, and the word `workflow` may be left out. Every command takes `--json`',
    '(JSON instead of text), `--workspace DIR` (the folder to work from, by default the current one) and `--help`.',
    '',
    '| command | |',
    '| --- | --- |',
    ...commands.map(
      (each) => `| [\`${wordsOf(each)}\`](#${anchorOf(each)}) | ${cell(firstSentence(each))} |`,
    ),
    '',
    ...commands.flatMap(commandDocs),
  ].join('\n');
}

function commandDocs(command: ManifestCommand): string[] {
  const flags = Object.values(command.flags).filter(({ name, hidden }) => !SHARED.includes(name) && !hidden);
  const args = Object.values(command.args);
  return [
    `## q ${wordsOf(command)}`,
    '',
    ...(command.examples === undefined || command.examples.length === 0
      ? []
      : ['```sh', ...command.examples.map(exampleOf), '```', '']),
    plain(command.description ?? ''),
    '',
    ...(args.length + flags.length === 0
      ? []
      : ['| | |', '| --- | --- |', ...args.map(argumentRow), ...flags.map(flagRow), '']),
  ];
}

function argumentRow({ name, description = '', required }: Argument): string {
  return row(name.toUpperCase(), `${description}${required === true ? '' : ' (optional)'}`);
}

function flagRow(flag: Flag): string {
  const value = flag.type === 'boolean' ? '' : ` ${flag.options?.join('|') ?? flag.helpValue ?? 'VALUE'}`;
  const short = flag.char === undefined ? '' : `-${flag.char}, `;
  const notes = [
    ...(flag.default === undefined || flag.default === false ? [] : [`default ${String(flag.default)}`]),
    ...(flag.required === true ? ['required'] : []),
    ...(flag.multiple === true ? ['more than once'] : []),
  ];
  const note = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return row(`${short}--${flag.name}${value}`, `${flag.description ?? ''}${note}`);
}

function row(code: string, text: string): string {
  return `| \`${code.replaceAll('|', '\\|')}\` | ${cell(plain(text))} |`;
}

function exampleOf(example: string | { readonly command: string; readonly description?: string }): string {
  if (typeof example === 'string') return plain(example);
  const { command, description } = example;
  return description === undefined ? plain(command) : `${plain(command)}   # ${description}`;
}

/** oclif's places in texts. */
function plain(text: string): string {
  return text
    .replaceAll('<%= config.bin %>', 'q')
    .replace(/<%= command\.id %>/g, 'workflow')
    .replaceAll('<%= config.dirname %>', 'q-workflow')
    .trim();
}

function wordsOf({ id }: ManifestCommand): string {
  return id.replaceAll(':', ' ');
}

function anchorOf(command: ManifestCommand): string {
  return `q-${wordsOf(command).replaceAll(' ', '-')}`;
}

function firstSentence({ description = '' }: ManifestCommand): string {
  const [first = ''] = plain(description).split(/(?<=\.)\s/);
  return first;
}

/** Words in angle brackets would be taken for HTML. */
function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\s*\n\s*/g, ' ');
}

if (import.meta.main) writeFileSync(join(packageRoot(), CLI_DOCS), cliDocs(packageRoot()));
