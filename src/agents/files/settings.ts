/** `toolsSettings` of an agent file: what it denies is denied; what it allows gives no right. */

import { resolve } from 'node:path';
import type { RE2JS } from 're2js';
import type { JsonObject } from '../../definition/workflow.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { canonicalTool } from '../../guard/tools.ts';
import { textArgument } from '../arguments.ts';
import { deniedBy, type Folders } from './denied-paths.ts';

const PATTERN_KEYS = ['deniedCommands', 'allowedCommands', 'blocked'];
const FILE_TOOLS = ['fs_read', 'fs_write', 'fs_list', 'search'];
/** Where one command may end and another begin. A part of a quoted text counts too: that only denies more. */
const SEPARATORS = /&&|\|\||[;|&\n(){}`]|\$\(/;

/** Patterns that cannot be read: what would deny must not be lost silently. */
export function settingsProblems(
  settings: Readonly<Record<string, JsonObject>>,
): { path: string; message: string }[] {
  return Object.entries(settings).flatMap(([tool, values]) =>
    PATTERN_KEYS.flatMap((key) =>
      textsOf(values[key]).flatMap((pattern, index) => {
        try {
          checkPattern(pattern);
          return [];
        } catch (error) {
          return [
            { path: `${tool}.${key}[${index}]`, message: `is no pattern: ${ensureError(error).message}` },
          ];
        }
      }),
    ),
  );
}

let engine: typeof RE2JS | null = null;

/** To be waited for before `settingsRefusal` is asked about settings with patterns. */
export async function loadSettingsPatterns(settings: Readonly<Record<string, JsonObject>>): Promise<void> {
  const hasPatterns = Object.values(settings).some((values) =>
    PATTERN_KEYS.some((key) => textsOf(values[key]).length > 0),
  );
  if (hasPatterns) engine ??= (await import('re2js')).RE2JS;
}

/** Why the agent's own file refuses a call; null when it does not. Paths count as they are written, from the workspace. */
export function settingsRefusal(
  settings: Readonly<Record<string, JsonObject>>,
  tool: string,
  args: JsonObject,
  folders: Folders,
): string | null {
  for (const [name, values] of Object.entries(settings)) {
    const refusal = refusalBy(values, canonicalTool(name), tool, args, folders);
    if (refusal !== null) return refusal;
  }
  return null;
}

function refusalBy(
  values: JsonObject,
  named: string,
  tool: string,
  args: JsonObject,
  folders: Folders,
): string | null {
  switch (tool) {
    case 'execute_bash':
    case 'exec':
      return named === 'execute_bash' ? usable(() => commandRefusal(values, commandOf(args))) : null;
    case 'http_fetch':
      return named === tool ? usable(() => addressRefusal(values, textArgument(args, 'url'))) : null;
    default:
      return isOfSameFamily(named, tool) ? pathRefusal(values, args, folders) : null;
  }
}

/** A pattern that passed for one, and is none to the engine, may be one that denies: then nothing is allowed. */
function usable(refusal: () => string | null): string | null {
  try {
    return refusal();
  } catch (error) {
    if (error instanceof WorkflowError) throw error;
    return `the agent file has a pattern that cannot be used: ${ensureError(error).message}`;
  }
}

function addressRefusal(values: JsonObject, url: string): string | null {
  return textsOf(values['blocked']).some((pattern) => isMatch(pattern, url))
    ? 'the agent file blocks this address'
    : null;
}

function commandRefusal(values: JsonObject, command: string): string | null {
  const parts = [command, ...command.split(SEPARATORS)].map((part) => part.trim());
  for (const pattern of textsOf(values['deniedCommands']))
    if (parts.some((part) => isMatch(pattern, part))) return `the agent file denies commands like ${pattern}`;
  if (values['denyByDefault'] !== true) return null;
  const isAllowed =
    !SEPARATORS.test(command) &&
    textsOf(values['allowedCommands']).some((pattern) => isMatch(pattern, command));
  return isAllowed ? null : 'the agent file denies every command that it does not name';
}

function commandOf(args: JsonObject): string {
  const { argv } = args;
  return Array.isArray(argv) ? argv.map(String).join(' ') : textArgument(args, 'command');
}

/** In Q one tool reads, lists and searches. */
function isOfSameFamily(named: string, tool: string): boolean {
  return named === tool || (named === 'fs_read' && FILE_TOOLS.includes(tool) && tool !== 'fs_write');
}

function pathRefusal(values: JsonObject, args: JsonObject, folders: Folders): string | null {
  const path = resolve(folders.workspace, textArgument(args, 'path', '.'));
  const pattern = deniedBy(textsOf(values['deniedPaths']), path, folders);
  return pattern === null ? null : `the agent file denies the path ${pattern}`;
}

/** The patterns of paths that the agent file denies to a file tool. */
export function deniedPaths(settings: Readonly<Record<string, JsonObject>>, tool: string): string[] {
  return Object.entries(settings)
    .filter(([name]) => isOfSameFamily(canonicalTool(name), tool))
    .flatMap(([, values]) => textsOf(values['deniedPaths']));
}

/**
 * As Q reads it, `\A…\z`; but a dot is any character, so that a line break hides nothing. In linear time, as Q's own
 * engine: the text is the model's, and one that JavaScript's engine tries in all ways would hang the run.
 */
function isMatch(pattern: string, text: string): boolean {
  if (engine === null) throw new WorkflowError('INTERNAL', 'a pattern is used before its engine was loaded');
  return compiled(engine, pattern).matches(text);
}

const known = new Map<string, RE2JS>();

function compiled(re2: typeof RE2JS, pattern: string): RE2JS {
  const found = known.get(pattern) ?? re2.compile(pattern, re2.DOTALL);
  known.set(pattern, found);
  return found;
}

/** Throws for what cannot be read. Only syntax: readers of agent files do without the engine, which takes 10 ms to load. */
function checkPattern(pattern: string): void {
  const group = /\\[1-9]|\(\?<?[=!]/.exec(pattern);
  if (group !== null) throw new SyntaxError(`"${group[0]}" (look-around, back-reference) is not supported`);
  new RegExp(pattern.replaceAll('\\A', '^').replaceAll('\\z', '$'), 's');
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
