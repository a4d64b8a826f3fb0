/** Reads agent files of Q and Kiro into the one form, with a note for all that was ignored or means something else here. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';
import { Fields, isObject, NoteList } from '../../skills/fields.ts';
import type { SkillNote } from '../../skills/skill.ts';
import { type DriverChoice, readDriver } from '../driver-choice.ts';
import { type AgentHooks, readHooks } from '../hooks/hook.ts';
import { mcpFiles, mergedServers, readMcpServers, serversIn } from '../mcp-servers.ts';
import { TOLD_NAME } from '../native/tool-box.ts';
import type { Agent } from './agent.ts';
import type { AgentPlaces } from './find.ts';
import { readFrontMatter } from './front-matter.ts';
import { readAgentFile } from './read-file.ts';
import { readResources } from './resources.ts';
import { settingsProblems } from './settings.ts';
import { unknownTool } from './unknown-tool.ts';

export interface ReadAgent {
  readonly agent: Agent;
  readonly notes: readonly SkillNote[];
}

/** Never throws: a file that cannot be read gives an agent with `problems`, so that using it says why. */
export function readAgent(file: string, places: AgentPlaces): ReadAgent {
  const notes = new NoteList(file);
  const text = readText(file, notes);
  const content = text === null ? {} : parse(file, text, notes);
  const fields = new Fields(content, '$', notes);
  const driver = readDriver(fields);
  const hooks = hooksOf(fields, driver);
  const name = fields.string('name') ?? basename(file, extname(file));
  const agent: Agent = {
    name,
    description: fields.string('description') ?? '',
    file,
    hash: createHash('sha256')
      .update(text ?? '')
      .digest('hex'),
    prompt: [readPrompt(fields, file, places), readResources(fields)].filter(Boolean).join('\n\n'),
    model: fields.string('model'),
    tools: fields.strings('tools'),
    toolAliases: fields.texts('toolAliases'),
    allowedTools: fields.strings('allowedTools'),
    toolsSettings: readSettings(fields),
    mcpServers: mergedServers([
      ...sharedServers(fields, places),
      readMcpServers(fields.object('mcpServers')),
    ]),
    ...(hooks === null ? {} : { hooks }),
    ...(driver === null ? {} : { driver }),
    outputSchema: objectOf(fields.raw('outputSchema') ?? fields.raw('output_schema')),
    problems: [],
  };
  if (agent.tools.length === 0 && text !== null)
    notes.warn('$.tools', 'is empty or missing: the agent has no tools');
  if (driver === null) noteUnknownTools(agent, notes);
  noteAliases(agent, notes);
  noteIgnored(fields);
  fields.warnUnknown();
  return { agent: { ...agent, problems: notes.errors }, notes: notes.all };
}

function readText(file: string, notes: NoteList): string | null {
  try {
    return readAgentFile(file);
  } catch (error) {
    notes.error('$', `cannot be read: ${systemCode(error) ?? ensureError(error).message}`);
    return null;
  }
}

function parse(file: string, text: string, notes: NoteList): JsonObject {
  try {
    if (file.endsWith('.md')) {
      const { head, body } = readFrontMatter(text);
      return { prompt: body.trim(), ...head };
    }
    const content = JSON.parse(text) as Json;
    if (isObject(content)) return content;
    notes.error('$', 'must be an object');
  } catch (error) {
    notes.error('$', ensureError(error).message);
  }
  return {};
}

/** The text, or that of the file that it names: only one beside the agent file or in the workspace. */
function readPrompt(fields: Fields, file: string, { workspace }: AgentPlaces): string {
  const prompt = fields.string('prompt') ?? '';
  if (!prompt.startsWith('file://')) return prompt;
  try {
    const named = prompt.startsWith('file:///')
      ? fileURLToPath(prompt)
      : resolve(dirname(file), prompt.slice(7));
    return readAgentFile(named, [dirname(file), workspace]);
  } catch (error) {
    fields.notes.error(
      '$.prompt',
      `${prompt} cannot be used: ${systemCode(error) ?? ensureError(error).message}`,
    );
    return '';
  }
}

function readSettings(fields: Fields): Record<string, JsonObject> {
  const settings = fields.object('toolsSettings');
  const read: Record<string, JsonObject> = {};
  for (const name of settings?.keys() ?? []) {
    const value = settings?.raw(name);
    if (value !== undefined && isObject(value)) read[name] = value;
    else fields.notes.error(`$.toolsSettings.${name}`, 'must be an object');
  }
  for (const { path, message } of settingsProblems(read))
    fields.notes.error(`$.toolsSettings.${path}`, message);
  return read;
}

/** Those of each `mcp.json` that the agent takes over, the weakest first. */
function sharedServers(fields: Fields, places: AgentPlaces): ReturnType<typeof readMcpServers>[] {
  const isQ = fields.boolean('useLegacyMcpJson') ?? false;
  const isKiro = fields.boolean('includeMcpJson') ?? false;
  if (!isQ && !isKiro) return [];
  const found = mcpFiles(isQ ? 'q' : 'kiro', places).map((file) => {
    const notes = new NoteList(file);
    const text = existsSync(file) ? readText(file, notes) : null;
    const content = text === null ? {} : parse(file, text, notes);
    const servers = readMcpServers(new Fields(serversIn(content), '$.mcpServers', notes));
    for (const { severity, path, message } of notes.all)
      fields.notes[severity === 'error' ? 'error' : 'warn'](path, `${file}: ${message}`);
    return servers;
  });
  return found.reverse();
}

function objectOf(value: Json | undefined): JsonObject | null {
  return value !== undefined && isObject(value) ? value : null;
}

/** Only our own loop knows when to run them. */
function hooksOf(fields: Fields, driver: DriverChoice | null): AgentHooks | null {
  const hooks = readHooks(fields);
  if (hooks === null || driver === null) return hooks;
  fields.notes.warn(fields.at('hooks'), `hooks are not run by the driver ${driver.name}`);
  return null;
}

/** Names of our own loop only: other drivers have others. */
function noteUnknownTools({ tools }: Agent, notes: NoteList): void {
  for (const [index, name] of tools.entries()) {
    const said = unknownTool(name);
    if (said !== null) notes.warn(`$.tools[${index}]`, said);
  }
}

/** Aliases under which no model is told a tool. */
function noteAliases({ toolAliases, driver }: Agent, notes: NoteList): void {
  if (driver !== undefined) return;
  const entries = Object.entries(toolAliases);
  for (const [tool, alias] of entries) {
    const other = entries.find(([each, same]) => each !== tool && same === alias);
    if (!TOLD_NAME.test(alias))
      notes.warn(
        `$.toolAliases.${tool}`,
        `"${alias}" is not used: a name has letters, digits, _ and -, 64 at most`,
      );
    else if (other !== undefined)
      notes.warn(`$.toolAliases.${tool}`, `"${alias}" is the alias of ${other[0]}, too: neither may get it`);
  }
}

/** What these products do and this one does not, or does otherwise. */
function noteIgnored(fields: Fields): void {
  const warn = (key: string, message: string): void => {
    if (fields.has(key)) fields.notes.warn(fields.at(key), message);
  };
  warn('permissions', 'is not read: policies decide about tool calls');
  warn('schemaVersion', 'is not read');
  for (const key of ['keyboardShortcut', 'welcomeMessage', 'includePowers']) fields.raw(key);
}
