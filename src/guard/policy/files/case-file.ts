import { parseJsonText } from '../../../definition/json-text.ts';
import type { Json, JsonObject } from '../../../definition/workflow.ts';
import { WorkflowError } from '../../../errors/workflow-error.ts';
import { isObject } from '../../../protocol/is-object.ts';
import type { GuardedCall } from '../calls/call.ts';
import type { Decision } from './policy-file.ts';

/** A call as people write it, for `policy explain` and in files of cases. */
export interface CallText {
  readonly tool: string;
  readonly args: JsonObject;
  readonly kind: GuardedCall['kind'];
  readonly cwd: string | null;
  readonly workflow: string | null;
  readonly agent: string | null;
  readonly step: string | null;
  readonly environment: string | null;
}

export interface PolicyCase {
  readonly name: string;
  readonly call: CallText;
  readonly expected: Decision;
  /** A rule that must be among those that decided: its id, or its whole name. */
  readonly rule: string | null;
}

/** Reads `{"tool": …, "args": …}`. Throws USAGE, with what is wrong. */
export function parseCall(text: string): CallText {
  const { value, problems } = parseJsonText(text);
  const [problem] = problems;
  if (value === undefined || problem !== undefined)
    throw new WorkflowError('USAGE', `the call is ${problem?.message ?? 'not valid JSON'}`, { hint: HINT });
  return asCall(value, 'the call', []);
}

const HINT = 'Write {"tool": "fs_read", "args": {"path": "README.md"}}.';
const KINDS = ['tool', 'model', 'spawn', 'schedule', 'hook'] as const;
const KEYS = ['tool', 'args', 'kind', 'cwd', 'workflow', 'agent', 'step', 'environment'];

function asCall(value: Json, what: string, more: readonly string[]): CallText {
  const refuse = (why: string): never => {
    throw new WorkflowError('USAGE', `${what} ${why}`, { hint: HINT });
  };
  if (!isObject(value)) return refuse('is no JSON object');
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key) && !more.includes(key));
  if (unknown !== undefined)
    refuse(`has an unknown key "${unknown}"; there are ${[...KEYS, ...more].join(', ')}`);
  const { tool, args = {}, kind = 'tool' } = value;
  const known = KINDS.find((each) => each === kind) ?? refuse(`has an unknown kind ${JSON.stringify(kind)}`);
  const text = (key: string): string | null => {
    const found = value[key] ?? null;
    return found === null || typeof found === 'string' ? found : refuse(`has a "${key}" that is no text`);
  };
  return {
    tool: typeof tool === 'string' ? tool : refuse('has no "tool", which is a text'),
    args: isObject(args) ? args : refuse('has "args" that are no JSON object'),
    kind: known,
    cwd: text('cwd'),
    workflow: text('workflow'),
    agent: text('agent'),
    step: text('step'),
    environment: text('environment'),
  };
}

/** Whether a file holds cases, and no policy. */
export function isCaseFile(text: string): boolean {
  const { value } = parseJsonText(text);
  return Array.isArray(value) || (isObject(value) && 'cases' in value);
}

/** Reads `{"cases": [{"name"?, "tool", "args", "expect": "deny", "rule"?}]}`, or the list alone. Throws USAGE. */
export function parseCases(text: string, file: string): PolicyCase[] {
  const { value, problems } = parseJsonText(text);
  const [problem] = problems;
  if (problem !== undefined) throw new WorkflowError('USAGE', `${file}: ${problem.message}`);
  const list = isObject(value) ? value['cases'] : value;
  if (!Array.isArray(list)) throw new WorkflowError('USAGE', `${file} has no list of cases`);
  return list.map((each, index) => asCase(each, `case ${index + 1} of ${file}`));
}

const CASE_KEYS = ['name', 'expect', 'decision', 'rule', 'call'];

function asCase(value: Json, what: string): PolicyCase {
  const map = isObject(value) ? value : {};
  const inner = map['call'];
  const call = inner === undefined ? asCall(value, what, CASE_KEYS) : asCall(inner, what, []);
  const expected = map['expect'] ?? map['decision'];
  if (expected !== 'allow' && expected !== 'ask' && expected !== 'deny')
    throw new WorkflowError('USAGE', `${what} has no "expect": allow, ask or deny`);
  const { name, rule } = map;
  return {
    name: typeof name === 'string' ? name : `${call.tool} ${JSON.stringify(call.args)}`,
    call,
    expected,
    rule: typeof rule === 'string' ? rule : null,
  };
}
