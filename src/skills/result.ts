import type { Json, JsonObject } from '../definition/workflow.ts';
import { isObject } from './fields.ts';

/** The head of one stream and how much there was. */
export interface CapturedText {
  readonly text: string;
  readonly totalBytes: number;
  readonly isTruncated: boolean;
}

export interface CommandOutput {
  readonly stdout: CapturedText;
  readonly stderr: CapturedText;
  readonly exitCode: number;
  readonly durationMs: number;
  /** Processes that were still there after the command ended, and were killed. */
  readonly leftBehind: number;
  /** Names that the step declares as outputs: a single one takes plain text. */
  readonly outputs: readonly string[];
}

/** Deeper JSON is taken as text: writing it again could overflow the stack. So is JSON with a number of no finite size. */
const MAX_DEPTH = 200;

/**
 * The result of a command that ended well: the fields of the JSON object it printed, else `stdout` without its last
 * line end. Beside them `exit_code`, `stderr` and `duration_ms`, and `stdout_truncated`, `stdout_bytes` (the same for
 * stderr) and `left_behind` when there is something to tell. None of these replaces a field of the skill's own.
 */
export function commandResult(output: CommandOutput): JsonObject {
  const own = output.stdout.isTruncated ? null : parseJsonObject(output.stdout.text);
  return {
    exit_code: output.exitCode,
    stderr: output.stderr.text,
    duration_ms: output.durationMs,
    ...(output.stdout.isTruncated ? { stdout_truncated: true, stdout_bytes: output.stdout.totalBytes } : {}),
    ...(output.stderr.isTruncated ? { stderr_truncated: true, stderr_bytes: output.stderr.totalBytes } : {}),
    ...(output.leftBehind > 0 ? { left_behind: output.leftBehind } : {}),
    ...(own ?? textFields(withoutLineEnd(output.stdout.text), output.outputs)),
  };
}

/** Fields that the result of every command has: declaring one of them as an output asks for it, not for the text. */
const GIVEN_FIELDS: ReadonlySet<string> = new Set(['exit_code', 'stderr', 'duration_ms']);

/** `stdout`, and the one declared output when there is just one. */
export function textFields(text: string, outputs: readonly string[]): JsonObject {
  const [only] = outputs;
  const isNamed = outputs.length === 1 && only !== undefined && !GIVEN_FIELDS.has(only);
  return isNamed ? { [only]: text, stdout: text } : { stdout: text };
}

/** The JSON object that is all of the text, or null. */
export function parseJsonObject(text: string): JsonObject | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
  return isObject(parsed) && isStorable(parsed, MAX_DEPTH) ? parsed : null;
}

/** Without exactly one line end: what `$(…)` would mostly give, and nothing that the command meant is lost. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/**
 * True when writing it as JSON and reading it again gives the same: it is not too deep, and no number of it is infinite
 * (1e999 would be null in the journal). Level by level, so that depth costs no stack.
 */
export function isStorable(value: JsonObject, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit || level.includes(Infinity) || level.includes(-Infinity)) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}
