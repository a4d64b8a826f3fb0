/** What of the Agent Client Protocol (version 1) is read, and how: nothing that an agent sends is taken as it is. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { isObject } from '../../skills/fields.ts';
import type { ReportedUsage } from '../model/model.ts';
import { MAX_ARGUMENT_BYTES } from '../native/turn.ts';
import { capText, MAX_RESULT_BYTES } from '../text.ts';

export const PROTOCOL_VERSION = 1;

/** What an agent tells of one call of a tool; a field that it leaves out is as it was. */
export interface CallUpdate {
  readonly id: string;
  readonly kind?: string;
  readonly title?: string;
  readonly name?: string;
  readonly status?: CallStatus;
  readonly rawInput?: JsonObject;
  /** The arguments were too large to be kept; `rawInput` is empty. */
  readonly isOversized?: boolean;
  readonly paths?: readonly string[];
  /** What it brought, cut to what is kept of it, and the bytes of all. */
  readonly output?: { readonly text: string; readonly bytes: number };
}

const STATUSES = ['pending', 'in_progress', 'completed', 'failed'] as const;
export type CallStatus = (typeof STATUSES)[number];

export type SessionUpdate =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly call: CallUpdate }
  | { readonly type: 'mode'; readonly mode: string }
  /** The mode as one of its options: newer agents tell it so. */
  | { readonly type: 'mode-option'; readonly mode: string }
  /** Thoughts, plans, lists of commands: nothing that is acted on. */
  | { readonly type: 'other' };

export interface PermissionRequest {
  readonly session: string;
  readonly call: CallUpdate;
  readonly options: readonly { readonly id: string; readonly kind: string }[];
}

/** Thrown for a message that is not what the protocol says. */
export class BadMessage extends Error {}

/** `session/update`. Throws BadMessage. */
export function readUpdate(params: Json | undefined): { session: string; update: SessionUpdate } {
  const { sessionId, update } = objectOf(params, 'params of session/update');
  const content = objectOf(update, 'update');
  return { session: textOf(sessionId, 'sessionId'), update: updateOf(content) };
}

function updateOf(update: JsonObject): SessionUpdate {
  switch (update['sessionUpdate']) {
    case 'agent_message_chunk': {
      const { content } = update;
      const isText = content !== undefined && isObject(content) && content['type'] === 'text';
      return isText ? { type: 'text', text: textOf(content['text'], 'text') } : { type: 'other' };
    }
    case 'tool_call':
    case 'tool_call_update':
      return { type: 'call', call: readCall(update) };
    case 'current_mode_update':
      return { type: 'mode', mode: textOf(update['currentModeId'], 'currentModeId') };
    case 'config_option_update': {
      const mode = modeOption(update['configOptions']);
      return mode === null ? { type: 'other' } : { type: 'mode-option', mode };
    }
    default:
      return { type: 'other' };
  }
}

function modeOption(options: Json | undefined): string | null {
  const all = Array.isArray(options) ? options.filter(isObject) : [];
  const mode = all.find(({ category }) => category === 'mode') ?? all.find(({ id }) => id === 'mode');
  return textIn(mode?.['currentValue']);
}

/** `session/request_permission`. Throws BadMessage. */
export function readPermission(params: Json | undefined): PermissionRequest {
  const { sessionId, toolCall, options } = objectOf(params, 'params of session/request_permission');
  if (!Array.isArray(options)) throw new BadMessage('options is no list');
  return {
    session: textOf(sessionId, 'sessionId'),
    call: readCall(objectOf(toolCall, 'toolCall')),
    options: options.map((option) => {
      const { optionId, kind } = objectOf(option, 'an option');
      return { id: textOf(optionId, 'optionId'), kind: textOf(kind, 'kind') };
    }),
  };
}

/** The answer to `session/new`: its id, and the modes that it offers (null: none are told of). */
export function readSession(result: Json): { id: string; modes: readonly string[] | null } {
  const { sessionId, modes } = objectOf(result, 'the answer to session/new');
  const offered = modes !== undefined && isObject(modes) ? modes['availableModes'] : undefined;
  return {
    id: textOf(sessionId, 'sessionId'),
    modes: Array.isArray(offered)
      ? offered.map((mode) => textOf(objectOf(mode, 'a mode')['id'], 'the id of a mode'))
      : null,
  };
}

/** The answer to `session/prompt`. Tokens only where the agent tells them. */
export function readPromptEnd(result: Json): { stopReason: string; usage: ReportedUsage } {
  const { stopReason, usage } = objectOf(result, 'the answer to session/prompt');
  const told = usage !== undefined && isObject(usage) ? usage : {};
  const count = (name: string): number | undefined => {
    const value = told[name];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    stopReason: textOf(stopReason, 'stopReason'),
    usage: { in: count('inputTokens'), out: count('outputTokens'), cached: count('cachedReadTokens') },
  };
}

/** Throws BadMessage for another version than ours: then nothing that follows can be trusted to be understood. */
export function checkVersion(result: Json): void {
  const { protocolVersion } = objectOf(result, 'the answer to initialize');
  if (protocolVersion !== PROTOCOL_VERSION)
    throw new BadMessage(
      `it speaks version ${JSON.stringify(protocolVersion)} of the protocol, not ${PROTOCOL_VERSION}`,
    );
}

function readCall(update: JsonObject): CallUpdate {
  const { toolCallId, kind, title, name, status, rawInput, locations } = update;
  const known = STATUSES.find((each) => each === status);
  if (known === undefined && status !== undefined && status !== null)
    throw new BadMessage(`${JSON.stringify(status)} is no status of a tool call`);
  const [ofKind, shown] = [textIn(kind), textIn(title)];
  const toolName = textIn(name) ?? claudeName(update['_meta']);
  const paths = Array.isArray(locations)
    ? locations.flatMap((place) => (isObject(place) ? (textIn(place['path']) ?? []) : []))
    : null;
  const output = outputOf(update);
  return {
    id: textOf(toolCallId, 'toolCallId'),
    ...(known === undefined ? {} : { status: known }),
    ...(ofKind === null ? {} : { kind: ofKind }),
    ...(shown === null ? {} : { title: shown }),
    ...(toolName === null ? {} : { name: toolName }),
    ...(rawInput !== undefined && isObject(rawInput) ? inputOf(rawInput) : {}),
    ...(paths === null ? {} : { paths }),
    ...(output === null ? {} : { output }),
  };
}

function inputOf(rawInput: JsonObject): Pick<CallUpdate, 'rawInput' | 'isOversized'> {
  const isOversized = Buffer.byteLength(JSON.stringify(rawInput)) > MAX_ARGUMENT_BYTES;
  return { rawInput: isOversized ? {} : rawInput, isOversized };
}

/** claude-agent-acp tells the name of the tool only here. */
function claudeName(meta: Json | undefined): string | null {
  const own = meta !== undefined && isObject(meta) ? meta['claudeCode'] : undefined;
  return own !== undefined && isObject(own) ? textIn(own['toolName']) : null;
}

/** What a call brought: its texts and diffs, else its raw output. Null when it tells none. */
function outputOf(update: JsonObject): { text: string; bytes: number } | null {
  const text = outputText(update);
  return text === null ? null : { text: capText(text, 2 * MAX_RESULT_BYTES), bytes: Buffer.byteLength(text) };
}

function outputText({ content, rawOutput }: JsonObject): string | null {
  const parts = Array.isArray(content)
    ? content.flatMap((part) => (isObject(part) ? partText(part) : []))
    : [];
  if (parts.length > 0) return parts.join('\n');
  if (rawOutput === undefined || rawOutput === null) return null;
  return typeof rawOutput === 'string' ? rawOutput : JSON.stringify(rawOutput);
}

function partText(part: JsonObject): string[] {
  const { type, content, path } = part;
  if (type === 'content' && content !== undefined && isObject(content))
    return [textIn(content['text']) ?? `[${textIn(content['type']) ?? 'something'}]`];
  return type === 'diff' ? [`[changed ${textIn(path) ?? 'a file'}]`] : [];
}

function objectOf(value: Json | undefined, what: string): JsonObject {
  if (value !== undefined && isObject(value)) return value;
  throw new BadMessage(`${what} is no object`);
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value === 'string') return value;
  throw new BadMessage(`${what} is no text`);
}

function textIn(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
