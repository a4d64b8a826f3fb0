import { parseJsonText } from '../../../definition/json-text.ts';
import type { Json, JsonObject } from '../../../definition/workflow.ts';
import { WorkflowError } from '../../../errors/workflow-error.ts';
import { isObject } from '../../../protocol/is-object.ts';
import { canonicalTool } from '../../tools.ts';
import type { CallText } from '../files/case-file.ts';

/**
 * Reads what Q and Kiro give a preToolUse hook: `{hook_event_name, cwd, tool_name, tool_input}`. Throws USAGE for
 * anything else: what is not understood must not count as decided.
 */
export function parseHookEvent(text: string): Pick<CallText, 'tool' | 'args' | 'cwd'> {
  if (text.trim() === '') throw refused('is empty');
  const { value, problems } = parseJsonText(text);
  const [problem] = problems;
  if (value === undefined || problem !== undefined)
    throw refused(`cannot be used: ${problem?.message ?? 'no JSON'}`);
  if (!isObject(value)) throw refused('is no JSON object');
  const { hook_event_name: name, tool_name: tool, tool_input: input = {}, cwd = null } = value;
  if (typeof name !== 'string' || name.toLowerCase() !== 'pretooluse')
    throw refused(`is ${JSON.stringify(name ?? null)}, and only preToolUse is decided here`, {
      hint: 'Name this hook under preToolUse in the agent file; see docs/hook.md.',
    });
  if (typeof tool !== 'string' || tool === '') throw refused('has no "tool_name", which is a text');
  if (!isObject(input)) throw refused('has a "tool_input" that is no JSON object');
  if (cwd !== null && typeof cwd !== 'string') throw refused('has a "cwd" that is no text');
  const excess = excessIn(input);
  if (excess !== null)
    throw refused(`is not judged: its tool_input ${excess}`, { hint: 'Do it in smaller parts.' });
  const named = toolName(tool);
  return { tool: named, args: canonicalTool(named) === 'execute_bash' ? shellArguments(input) : input, cwd };
}

// Every text may be a path, and every path is compared with every rule: beyond this that takes seconds.
const MAX_VALUES = 1000;
const MAX_LINE_CHARACTERS = 256 * 1024;

function excessIn(input: JsonObject): string | null {
  const open: Json[] = [input];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count += 1;
    if (count > MAX_VALUES) return `has more than ${MAX_VALUES} values`;
    if (typeof next === 'string' && next.length > MAX_LINE_CHARACTERS && !next.includes('\n'))
      return `has a line of ${next.length} characters`;
    // The nesting is bounded, the number of values in one list is not.
    if (typeof next === 'object' && next !== null)
      for (const value of Object.values(next).slice(0, MAX_VALUES + 1)) open.push(value);
  }
  return null;
}

/** Q writes tools of MCP servers `server___tool` in places; policies know them as `@server/tool`. */
function toolName(name: string): string {
  const [, server, tool] = /^([A-Za-z0-9][\w.-]*?)___(.+)$/.exec(name) ?? [];
  return server === undefined ? name : `@${server}/${tool}`;
}

const FOLDER_NAME = /^(cwd|dir|work_?dir|working_?dir(ectory)?|dir_?path)$/i;

/** Kiro's shell has another name for the folder that a command starts in; overlooked, paths would mean other files. */
function shellArguments(input: JsonObject): JsonObject {
  const folders = Object.entries(input).filter(([name, value]) => FOLDER_NAME.test(name) && value !== null);
  const [first] = folders;
  if (first === undefined) return input;
  if (folders.length > 1) throw refused('names the folder of its command twice');
  return { ...input, cwd: first[1] };
}

function refused(why: string, options: { hint?: string } = {}): WorkflowError {
  return new WorkflowError('USAGE', `the hook event ${why}`, {
    hint: 'It is {"hook_event_name": "preToolUse", "cwd": …, "tool_name": …, "tool_input": {…}}; see docs/hook.md.',
    ...options,
  });
}
