/** usage: sh scripts/node scripts/generate-man-page.ts   writes man/q-workflow.1 from oclif.manifest.json (npm run build) */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT_MEANINGS } from '../src/errors/exit-meanings.ts';
import { EXIT } from '../src/errors/table.ts';
import { packageRoot } from '../src/protocol/install.ts';

export const MAN_PAGE = 'man/q-workflow.1';

interface ManFlag {
  readonly name: string;
  readonly char?: string;
  readonly description?: string;
  readonly type: 'boolean' | 'option';
  readonly multiple?: boolean;
  readonly options?: readonly string[];
  readonly helpValue?: string;
  readonly default?: unknown;
  readonly env?: string;
  readonly hidden?: boolean;
}

export interface ManCommand {
  readonly id: string;
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly args?: Readonly<Record<string, { name: string; description?: string; required?: boolean }>>;
  readonly flags?: Readonly<Record<string, ManFlag>>;
  readonly hidden?: boolean;
}

/** Flags that every command has: told once. */
const COMMON = ['json', 'workspace'];

/** The whole page. */
export function manPage(commands: readonly ManCommand[], version: string): string {
  const shown = commands
    .filter(({ hidden }) => hidden !== true)
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  return [
    `.\\" Generated from oclif.manifest.json by scripts/generate-man-page.ts; do not edit.`,
    `.TH Q\\-WORKFLOW 1 "" "q\\-workflow ${roff(version)}" "Q workflow"`,
    ...section('NAME'),
    'q\\-workflow, q workflow \\- run and watch workflows of skills and agents',
    ...section('SYNOPSIS'),
    '.B q\\-workflow',
    '.I command',
    '[\\fIarguments\\fR]',
    '.br',
    '.B q workflow',
    '.I command',
    '[\\fIarguments\\fR]',
    ...section('EXAMPLES'),
    ...FIRST_EXAMPLES.flatMap(([example, what]) => ['.TP', `.B ${roff(example)}`, roff(what)]),
    ...section('DESCRIPTION'),
    ...DESCRIPTION.flatMap((paragraph) => ['.PP', roff(paragraph)]),
    ...section('COMMON FLAGS'),
    ...COMMON.flatMap((name) => flagLines(shown[0]?.flags?.[name])),
    ...['.TP', '\\fB\\-\\-help\\fR', 'show what a command takes'],
    ...section('COMMANDS'),
    ...shown.flatMap(commandLines),
    ...section('EXIT STATUS'),
    ...Object.entries(EXIT).flatMap(([name, status]) => [
      '.TP',
      `.B ${status}`,
      roff(EXIT_MEANINGS[name as keyof typeof EXIT]),
    ]),
    ...section('ENVIRONMENT'),
    ...ENVIRONMENT.flatMap(([name, what]) => ['.TP', `.B ${roff(name)}`, roff(what)]),
    ...section('FILES'),
    ...FILES.flatMap(([name, what]) => ['.TP', `.I ${roff(name)}`, roff(what)]),
    ...section('SEE ALSO'),
    'The folder',
    '.I docs',
    'of the sources has a page for each topic;',
    '.B q\\-workflow explain',
    '.I code',
    'tells what an error or exit status means.',
    '',
  ].join('\n');
}

const FIRST_EXAMPLES: readonly (readonly [string, string])[] = [
  ['q-workflow run examples/repo-report.json', 'run a file and follow it to its end'],
  ['q-workflow status latest --watch', 'follow the newest run again'],
  ['q-workflow logs latest -f', 'what its steps write, merged by time'],
  ['q-workflow kill global', 'end everything, and refuse it until a person re-arms'],
];

const DESCRIPTION = [
  'A workflow is a JSON file of steps: skills (commands and prompts), agents, and control flow. Each run is a process of its own, under limits that the kernel enforces (without cgroups they are observed), supervised by a daemon that starts by itself.',
  'Every state change is durable and recorded before it is acted on: a run goes on after a crash where it was, and no completed step runs again.',
  'In a host named q the same commands are q workflow command.',
];

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['Q_WORKFLOW_HOME', 'the state folder; default: q-workflow in the XDG state folder'],
  ['Q_WORKFLOW_ENVIRONMENT', 'the environment that policies may speak of; default: default'],
  ['Q_WORKFLOW_ISOLATION', 'how limits are held, for a supervisor that has to be started'],
  ['Q_WORKFLOW_MODEL', 'the model of agents, where no file names one'],
  ['NO_COLOR', 'no colours'],
];

const FILES: readonly (readonly [string, string])[] = [
  ['.amazonq/workflows/*.json', 'workflows of a workspace, by name'],
  ['~/.aws/amazonq/workflows/*.json', 'those of the user'],
  ['.q-skills/*.json', 'skills of a workspace'],
  ['.amazonq/policies/*.json', 'policies of a workspace'],
  ['~/.config/q-workflow/policies/*.json', 'policies of the user'],
  ['/etc/q-workflow/policies/*.json', 'policies of the organisation'],
  ['~/.config/q-workflow/config.json', 'models, whom to tell, capacity: docs/operations.md, docs/agents.md'],
];

function section(title: string): string[] {
  return [`.SH ${title}`];
}

function commandLines({ id, description = '', examples = [], args = {}, flags = {} }: ManCommand): string[] {
  const name = id.replace(/^workflow:/, '').replaceAll(':', ' ');
  const places = Object.values(args).map(({ name: arg, required }) => (required === true ? arg : `[${arg}]`));
  const own = Object.values(flags)
    .filter((flag) => !COMMON.includes(flag.name) && flag.hidden !== true)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  return [
    `.SS ${roff([name, ...places].join(' '))}`,
    ...description.split('\n').map(roff),
    ...Object.values(args).flatMap((arg) =>
      arg.description === undefined ? [] : ['.TP', `\\fI${roff(arg.name)}\\fR`, roff(arg.description)],
    ),
    ...own.flatMap(flagLines),
    ...(examples.length === 0 ? [] : ['.PP', 'For example:', '.PP', '.RS 4', '.nf']),
    ...examples.map((example) => roff(example.replace(/<%= config\.bin %> workflow/g, 'q-workflow'))),
    ...(examples.length === 0 ? [] : ['.fi', '.RE']),
  ];
}

function flagLines(flag: ManFlag | undefined): string[] {
  if (flag === undefined) return [];
  const value = flag.helpValue ?? flag.options?.join('|') ?? 'value';
  const names = [...(flag.char === undefined ? [] : [`-${flag.char}`]), `--${flag.name}`].map(
    (name) => `\\fB${roff(name)}\\fR`,
  );
  const isText = typeof flag.default === 'string' || typeof flag.default === 'number';
  const facts = [
    ...(isText ? [`default ${flag.default}`] : []),
    ...(flag.multiple === true ? ['may be given several times'] : []),
    ...(flag.env === undefined ? [] : [`else ${flag.env}`]),
  ];
  return [
    '.TP',
    `${names.join(', ')}${flag.type === 'option' ? ` \\fI${roff(value)}\\fR` : ''}`,
    roff([flag.description ?? '', ...(facts.length === 0 ? [] : [`(${facts.join('; ')})`])].join(' ').trim()),
  ];
}

/** Text as roff has it: a hyphen that can be copied, no line that would be a request, no letter outside of ASCII. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./gm, '\\&.')
    .replace(/[^\n -\x7e]/gu, (letter) => {
      const code = letter.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}

/** The page of the commands that were built last. */
export function builtManPage(root: string): string {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { commands } = read('oclif.manifest.json') as { commands: Record<string, ManCommand> };
  const { version } = read('package.json') as { version: string };
  return manPage(Object.values(commands), version);
}

if (import.meta.main) {
  const root = packageRoot();
  mkdirSync(dirname(join(root, MAN_PAGE)), { recursive: true });
  writeFileSync(join(root, MAN_PAGE), builtManPage(root));
}
