/** What a call of another maker's agent is in our own words: the tools and arguments that policies know. */
import { resolve } from 'node:path';
import type { JsonObject } from '../../definition/workflow.ts';
import { likelyTool, nativeTool } from '../../guard/tools.ts';
import { isObject } from '../../skills/fields.ts';
import type { CallUpdate } from './messages.ts';

/** One thing to decide about. A call that touches two files is two of them. */
export interface JudgedCall {
  readonly tool: string;
  readonly args: JsonObject;
}

/** Kinds that agents run without asking; they are judged all the same. */
export const FREE_KINDS: ReadonlySet<string> = new Set(['read', 'search', 'think']);

const PATH_KEYS = [
  'path',
  'file_path',
  'filePath',
  'absolute_path',
  'abs_path',
  'notebook_path',
  'dir_path',
  'directory',
  'source',
  'destination',
  'source_path',
  'destination_path',
];
const SHELLS = /(?:^|\/)(?:ba|da|z|k)?sh$/;
const MAX_NAME = 200;

/** What an editor is told to do (kiro-cli and others): `{"command": "create", "path": …}` runs nothing. */
const EDITOR_WORD = /^(?:view|create|str_?replace|insert|append|overwrite|write|undo_edit)$/i;
const CHANGES: ReadonlySet<string | undefined> = new Set(['edit', 'delete', 'move']);

/**
 * Whatever its kind says: a call with a command line is that command, and where it says that it changes files these as
 * well. Paths become absolute.
 */
export function judgedCalls(call: CallUpdate, workspace: string): readonly JudgedCall[] {
  const input = call.rawInput ?? {};
  const isChange = CHANGES.has(call.kind);
  const paths = pathsOf(call, input, workspace);
  const word = editorWord(call, input);
  if (word !== null && paths.length > 0) {
    const tool = word === 'view' && !isChange ? 'fs_read' : 'fs_write';
    return perPath(tool, paths, contentOf(input));
  }
  const command = commandOf(call, input);
  if (command !== null)
    return isChange && paths.length > 0
      ? [command, ...perPath('fs_write', paths, contentOf(input))]
      : [command];
  switch (call.kind) {
    case 'read':
      return perPath('fs_read', paths, {});
    case 'edit':
    case 'delete':
    case 'move':
      return perPath('fs_write', paths, contentOf(input));
    case 'search':
      return [{ tool: 'search', args: searchOf(call, input) }];
    case 'fetch': {
      const url = textIn(input, ['url', 'uri']);
      return [url === null ? { tool: 'http_fetch', args: input } : { tool: 'http_fetch', args: { url } }];
    }
    case 'think': {
      const thought: JudgedCall = { tool: 'thinking', args: { thought: call.title ?? '' } };
      // One about files has read them.
      return paths.length === 0 ? [thought] : [thought, ...perPath('fs_read', paths, {})];
    }
    default:
      return [{ tool: nameOf(call), args: input }];
  }
}

function editorWord({ kind }: CallUpdate, { command, args }: JsonObject): string | null {
  if (kind === 'execute' || Array.isArray(args) || typeof command !== 'string') return null;
  return EDITOR_WORD.test(command) ? command.toLowerCase() : null;
}

function commandOf({ kind, title }: CallUpdate, input: JsonObject): JudgedCall | null {
  const { command, args } = input;
  const cwd = textIn(input, ['cwd', 'workdir', 'working_directory', 'dir_path']);
  const place = cwd === null ? {} : { cwd };
  if (Array.isArray(command)) return argvCall(command.map(String), place);
  if (typeof command === 'string')
    // Some give the program and its arguments apart.
    return Array.isArray(args)
      ? argvCall([command, ...args.map(String)], place)
      : { tool: 'execute_bash', args: { command, ...place } };
  if (kind !== 'execute') return null;
  // Nothing else tells what it runs. The title is what a person would be shown, too.
  const shown = /^`([\s\S]*)`$/.exec((title ?? '').trim())?.[1] ?? title ?? '';
  return { tool: 'execute_bash', args: { command: shown, ...place } };
}

function argvCall(argv: readonly string[], place: JsonObject): JudgedCall {
  const line = shellLine(argv);
  return line === null
    ? { tool: 'exec', args: { argv: [...argv], ...place } }
    : { tool: 'execute_bash', args: { command: line, ...place } };
}

/** `bash -lc LINE` is that line. */
function shellLine(argv: readonly string[]): string | null {
  const [shell = '', flag = '', line, ...rest] = argv;
  return SHELLS.test(shell) && /^-l?c$/.test(flag) && line !== undefined && rest.length === 0 ? line : null;
}

function perPath(tool: string, paths: readonly string[], more: JsonObject): readonly JudgedCall[] {
  // Without any path nothing is known of it, and a policy that looks at paths does not allow it.
  if (paths.length === 0) return [{ tool, args: more }];
  return paths.map((path) => ({ tool, args: { path, ...more } }));
}

function pathsOf({ paths = [] }: CallUpdate, input: JsonObject, workspace: string): readonly string[] {
  const named = PATH_KEYS.flatMap((key) => textIn(input, [key]) ?? []);
  const changes = input['changes'];
  // kiro-cli reads several places by one call.
  const operations = Array.isArray(input['operations']) ? input['operations'].filter(isObject) : [];
  const operated = operations.flatMap((each) => PATH_KEYS.flatMap((key) => textIn(each, [key]) ?? []));
  // codex tells the changed files as the keys of an object.
  const changed = changes !== undefined && isObject(changes) ? Object.keys(changes) : [];
  // Whether its agent takes ~ for the home folder the policies cannot know either: they look at both.
  const absolute = (path: string): string => (path.startsWith('~') ? path : resolve(workspace, path));
  return [...new Set([...named, ...operated, ...changed, ...paths].map(absolute))];
}

function contentOf(input: JsonObject): JsonObject {
  const content = textIn(input, ['content', 'contents', 'file_text']);
  const before = textIn(input, ['old_string', 'oldText', 'old_text', 'old_str']);
  const after = textIn(input, ['new_string', 'newText', 'new_text', 'new_str']);
  return {
    ...(content === null ? {} : { content }),
    ...(before === null ? {} : { old_text: before }),
    ...(after === null ? {} : { new_text: after }),
  };
}

function searchOf({ paths = [] }: CallUpdate, input: JsonObject): JsonObject {
  // The places of a search may be what it found.
  const isToldByPlaces = Object.keys(input).length === 0;
  const path = textIn(input, PATH_KEYS) ?? (isToldByPlaces ? paths[0] : null) ?? null;
  const glob = textIn(input, ['glob', 'include']);
  return {
    pattern: textIn(input, ['pattern', 'query', 'regex']) ?? glob ?? '',
    ...(path === null ? {} : { path }),
    ...(glob === null ? {} : { glob }),
  };
}

/** Of MCP servers some agents make one word. A title may be the words of the model: it makes a call none of our tools. */
function nameOf({ name, title, kind }: CallUpdate): string {
  const shown = title === undefined || nativeTool(likelyTool(title)) !== null ? undefined : title;
  const given = (name ?? shown ?? kind ?? 'other').slice(0, MAX_NAME);
  const mcp = /^mcp__([\w.-]+?)__([\w.-]+)$/.exec(given);
  return mcp === null ? given : `@${mcp[1]}/${mcp[2]}`;
}

function textIn(input: JsonObject, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = Object.hasOwn(input, key) ? input[key] : undefined;
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
