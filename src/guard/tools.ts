/** What is known of the native tools: their other names, and what in their arguments is a path, command or URL. */

/** How an argument touches a file. */
export type Access = 'read' | 'write';

export interface NativeTool {
  readonly aliases: readonly string[];
  /** Arguments that name a file or folder. */
  readonly paths: Readonly<Record<string, Access>>;
  /** True when it works on the current folder where no path is given. */
  readonly hasImpliedPath: boolean;
  /** The arguments that it knows; others are nothing to it. */
  readonly args: readonly string[];
}

const tool = (parts: Partial<NativeTool> & Pick<NativeTool, 'args'>): NativeTool => ({
  aliases: [],
  paths: {},
  hasImpliedPath: false,
  ...parts,
});

/** The tools of the native driver and of Q's vocabulary, by canonical name. MCP tools are `@server/tool`. */
export const CANONICAL_TOOLS = {
  fs_read: tool({
    aliases: ['read', 'fsRead', 'readFile'],
    paths: { path: 'read' },
    args: ['path', 'start_line', 'end_line'],
  }),
  fs_write: tool({
    aliases: ['write', 'fsWrite'],
    paths: { path: 'write' },
    args: ['path', 'content', 'old_text', 'new_text'],
  }),
  fs_list: tool({
    aliases: ['list', 'ls', 'listDirectory'],
    paths: { path: 'read' },
    hasImpliedPath: true,
    args: ['path', 'depth'],
  }),
  search: tool({
    aliases: ['grep', 'glob', 'fsSearch'],
    paths: { path: 'read' },
    hasImpliedPath: true,
    args: ['pattern', 'path', 'glob', 'max'],
  }),
  exec: tool({ args: ['argv', 'cwd', 'stdin', 'timeout_s'] }),
  execute_bash: tool({
    aliases: ['shell', 'bash', 'executeBash', 'execute_cmd'],
    args: ['command', 'cwd', 'timeout_s'],
  }),
  http_fetch: tool({ aliases: ['fetch', 'web_fetch'], args: ['url', 'method', 'headers', 'body'] }),
  use_skill: tool({ args: ['skill', 'inputs'] }),
  report_progress: tool({ aliases: ['report'], args: ['message', 'percent'] }),
  use_aws: tool({
    aliases: ['aws'],
    args: ['service_name', 'operation_name', 'region', 'parameters', 'profile_name', 'label'],
  }),
  knowledge: tool({ args: [] }),
  thinking: tool({ args: ['thought'] }),
  todo_list: tool({ aliases: ['todo'], args: [] }),
  delegate: tool({ aliases: ['subagent', 'use_subagent'], args: [] }),
} as const satisfies Readonly<Record<string, NativeTool>>;

export type CanonicalTool = keyof typeof CANONICAL_TOOLS;

/** Folders that the tool `search` never looks into: nobody means them, and they are larger than all the rest. */
export const SEARCH_LEAVES_OUT: ReadonlySet<string> = new Set(['.git', 'node_modules']);

/** Letters of other scripts that look like Latin ones, as far as names of tools have them. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  'аa сc еe іi јj оo рp ѕs уy хx һh тt кk мm нh вb ԁd ԛq ԝw ᴦr ιi οo νv αa τt κk ρp υu ɡg ıi'
    .split(' ')
    .map(([letter = '', latin = '']) => [letter, latin]),
);

const BY_NAME: ReadonlyMap<string, CanonicalTool> = new Map(
  (Object.keys(CANONICAL_TOOLS) as CanonicalTool[]).flatMap((name) =>
    [name, ...CANONICAL_TOOLS[name].aliases].map((each) => [each, name] as const),
  ),
);

/** All names of our tools, those of other products too. */
export const TOOL_NAMES: readonly string[] = [...BY_NAME.keys()];

const BY_FOLDED_NAME: ReadonlyMap<string, CanonicalTool> = new Map(
  [...BY_NAME].map(([name, canonical]) => [foldName(name), canonical]),
);

/** The one name of a tool: that of its alias, or the name itself when it is none of ours. Exact to the letter. */
export function canonicalTool(name: string): string {
  return BY_NAME.get(name) ?? name;
}

/** What is known of a tool, or null when its (canonical) name is none of ours. */
export function nativeTool(name: string): NativeTool | null {
  return Object.hasOwn(CANONICAL_TOOLS, name) ? CANONICAL_TOOLS[name as CanonicalTool] : null;
}

/**
 * The tool that a misspelled name may stand for (`FS_WRITE`, `fs-write`, a Cyrillic letter, a blank at the end); the
 * name itself when it is like none.
 */
export function likelyTool(name: string): string {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  return BY_FOLDED_NAME.get(foldName(name).replace(/^@?builtin\//, '')) ?? name;
}

/** One form for all spellings that people may take for the same name. */
export function foldName(name: string): string {
  return Array.from(name.normalize('NFKD').toLowerCase())
    .map((letter) => LOOKALIKES[letter] ?? letter)
    .join('')
    .replace(/[^a-z0-9@/*?]/g, '');
}
