/** The last answer of an agent and what its step gives: text, fields, and whether they are what was asked for. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { parseJsonObject } from '../../skills/result.ts';
import type { Transcript } from './transcript.ts';
import { usageJson } from './transcript.ts';

export interface AnswerRules {
  /** Declared outputs of the step: a single one takes the text. */
  readonly outputs: readonly string[];
  /** Says what is wrong with the answer by `output_schema`, one line; null when nothing is, or there is no schema. */
  readonly checkSchema: ((value: Json) => string | null) | null;
}

/** Fields that every result of an agent has; declaring one asks for it, not for the text. */
const GIVEN_FIELDS: ReadonlySet<string> = new Set(['text', 'iterations', 'usage', 'tool_calls']);

/** What is wrong with an answer, for the model to mend; null when it will do. */
export function answerProblem(text: string, rules: AnswerRules): string | null {
  const own = parseJsonObject(unfenced(text));
  if (rules.checkSchema !== null) {
    if (own === null) return 'it is no JSON object';
    const problem = rules.checkSchema(own);
    if (problem !== null) return problem;
  }
  if (rules.outputs.length < 2) return null;
  const wanted = rules.outputs.filter((name) => !GIVEN_FIELDS.has(name));
  const absent = wanted.filter((name) => own === null || !Object.hasOwn(own, name));
  if (absent.length === 0) return null;
  return own === null ? 'it is no JSON object' : `it has no field ${absent.join(', ')}`;
}

/** The result of the step: the fields of a JSON object, beside the text and the counts. */
export function agentResult(text: string, rules: AnswerRules, transcript: Transcript): JsonObject {
  const own = parseJsonObject(unfenced(text));
  const [only] = rules.outputs;
  const isNamed = rules.outputs.length === 1 && only !== undefined && !GIVEN_FIELDS.has(only);
  return {
    text,
    iterations: transcript.iterations,
    usage: usageJson(transcript.usage),
    tool_calls: transcript.toolCalls,
    ...(isNamed ? { [only]: text } : {}),
    ...own,
  };
}

/** How the answer is to look, for the system prompt; empty when any text will do. */
export function answerForm(rules: AnswerRules, schema: JsonObject | null): string {
  if (schema !== null)
    return `Your final answer must be one JSON object and nothing else, valid by this JSON Schema:\n${JSON.stringify(schema)}`;
  const wanted = rules.outputs.filter((name) => !GIVEN_FIELDS.has(name));
  if (wanted.length < 2) return '';
  return `Your final answer must be one JSON object and nothing else, with the fields ${wanted.join(', ')}.`;
}

/** Models like to put JSON into a code block. */
function unfenced(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1] ?? text;
}
