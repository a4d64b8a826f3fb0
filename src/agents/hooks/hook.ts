/** The hooks of an agent file: commands of its author that run beside the agent. They narrow or tell, and allow nothing. */
import type { Json } from '../../definition/workflow.ts';
import type { HookEvent } from '../../engine/agent-events.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { Fields, isObject } from '../../skills/fields.ts';
import { isNamedBy } from '../native/tool-choice.ts';
import { MAX_RESULT_BYTES } from '../text.ts';

export interface AgentHook {
  /** For `bash -c`. */
  readonly command: string;
  /** The tools that it is about; null = all. Only of preToolUse and postToolUse. */
  readonly matcher: string | null;
  readonly timeoutMs: number;
  /** Kept of what it prints. */
  readonly maxOutputBytes: number;
  /** How long its output may be used again instead of running it; 0 = never. Only of agentSpawn and userPromptSubmit. */
  readonly cacheTtlMs: number;
}

export type AgentHooks = Readonly<Partial<Record<HookEvent, readonly AgentHook[]>>>;

const HOOK_EVENTS: readonly HookEvent[] = [
  'agentSpawn',
  'userPromptSubmit',
  'preToolUse',
  'postToolUse',
  'stop',
];
/** `q-workflow hook` as docs/hook.md has it: in the sandbox it sees neither policies nor kill switches, and would block all. */
const OURS =
  /^\s*(timeout\s+[\w.]+\s+)?(q-workflow|q\s+workflow)\s+hook(\s+[\w./=-]+)*\s*(\|\|\s*exit\s+2\s*)?$/;
const TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 600_000;
const OUTPUT_BYTES = 10_240;

/**
 * Reads `hooks`. A hook that cannot be read is an error: what would block a call must not be lost silently. Null where
 * there is none.
 */
export function readHooks(fields: Fields): AgentHooks | null {
  const value = fields.raw('hooks');
  if (Array.isArray(value)) {
    fields.notes.warn(fields.at('hooks'), 'is a list: this form is not read, and none of it is run');
    return null;
  }
  const events = fields.object('hooks');
  const hooks: Partial<Record<HookEvent, readonly AgentHook[]>> = {};
  for (const name of events?.keys() ?? []) {
    const event = HOOK_EVENTS.find((each) => each === name);
    const list = events?.raw(name);
    if (events === null || list === undefined) continue;
    if (event === undefined)
      events.notes.warn(
        events.at(name),
        `is no event that hooks are run at${didYouMean(nearest(name, HOOK_EVENTS))}`,
      );
    else if (!Array.isArray(list)) events.notes.error(events.at(name), 'must be a list');
    else {
      const read = list.flatMap(
        (item, index) => readHook(item, `${events.at(name)}[${index}]`, fields) ?? [],
      );
      if (read.length > 0) hooks[event] = read;
    }
  }
  return Object.keys(hooks).length === 0 ? null : hooks;
}

/** Whether a hook is about a tool, by canonical name. What is said of shells holds for programs without one. */
export function isAbout({ matcher }: AgentHook, tool: string): boolean {
  if (matcher === null || matcher === '') return true;
  return isNamedBy(matcher, tool) || (tool === 'exec' && isNamedBy(matcher, 'execute_bash'));
}

function readHook(item: Json, at: string, { notes }: Fields): AgentHook | null {
  if (!isObject(item)) {
    notes.error(at, 'must be an object');
    return null;
  }
  const fields = new Fields(item, at, notes);
  const command = fields.string('command');
  const hook: AgentHook = {
    command: command ?? '',
    matcher: fields.string('matcher'),
    timeoutMs: Math.min(MAX_TIMEOUT_MS, fields.positive('timeout_ms') ?? TIMEOUT_MS),
    maxOutputBytes: Math.min(MAX_RESULT_BYTES, fields.positive('max_output_size') ?? OUTPUT_BYTES),
    cacheTtlMs:
      fields.raw('cache_ttl_seconds') === 0 ? 0 : (fields.positive('cache_ttl_seconds') ?? 0) * 1000,
  };
  fields.warnUnknown();
  if (command === null || command.trim() === '' || command.includes('\0')) {
    notes.error(`${at}.command`, 'must be a command line');
    return null;
  }
  if (!OURS.test(command)) return hook;
  notes.warn(at, 'is not run here: the supervisor decides by the same policies');
  return null;
}
