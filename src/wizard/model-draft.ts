import { resolveKeys } from '../agents/model/keys.ts';
import { chooseModel, readModels } from '../agents/model/model-config.ts';
import { openModel } from '../agents/model/provider.ts';
import { collectAnswer } from '../agents/native/turn.ts';
import { modelConfig, modelEnvironment } from '../client/model-environment.ts';
import { loadWorkflow } from '../definition/load.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { ensureError } from '../errors/workflow-error.ts';
import { isTripped } from '../guard/kill/latch-files.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Home } from '../protocol/home.ts';
import { ranked } from './rank.ts';
import type { Drafted, NamedAgent, World } from './world.ts';

const DEADLINE_MS = 120_000;
const MAX_OUTPUT_TOKENS = 8192;
/** Of the skills and of the agents: those whose words fit the purpose come first. */
const MAX_PARTS = 40;

export interface DraftRequest {
  readonly purpose: string;
  readonly name: string;
  readonly skills: World['skills'];
  readonly agents: readonly NamedAgent[];
}

/** Name of the default model; null where none is configured, or the configuration is wrong (`doctor` says why). */
export function modelName(caller: Caller): string | null {
  try {
    const { defaultName } = catalogue(caller);
    return defaultName;
  } catch (error) {
    if (ensureError(error).name === 'WorkflowError') return null;
    throw error;
  }
}

/**
 * One request to the default model; its answer goes through the loader of workflow files. Never throws: what went wrong
 * is in the `Drafted` that it answers as JSON. Sends nothing under a tripped global kill switch.
 */
export async function draftByModel(request: DraftRequest, caller: Caller, home: Home): Promise<string> {
  return JSON.stringify(await drafted(request, caller, home));
}

async function drafted(request: DraftRequest, caller: Caller, home: Home): Promise<Drafted> {
  if (isTripped(home.killFolder, 'global')) return failed('the kill switch global is tripped');
  try {
    const { spec } = chooseModel(catalogue(caller), null, 'create');
    const model = await openModel(
      spec,
      resolveKeys(spec, modelEnvironment(caller.configHome), home.secretsFolder),
    );
    const asked = {
      ...promptFor(request),
      tools: [],
      maxOutputTokens: spec.maxOutputTokens ?? MAX_OUTPUT_TOKENS,
    };
    const answer = await collectAnswer(model.stream(asked, AbortSignal.timeout(DEADLINE_MS)), 1);
    return await readDraft(answer.text, request.name);
  } catch (error) {
    return failed(ensureError(error).message);
  }
}

/** What a model answered, as a valid definition of that name, or why it is none. */
export async function readDraft(text: string, name: string): Promise<Drafted> {
  const parsed = objectIn(text);
  if (parsed === null) return failed('the model answered no JSON object');
  const definition = { version: '1.0.0', ...parsed, name };
  const { workflow, problems } = await loadWorkflow(JSON.stringify(definition));
  const [first] = problems;
  if (workflow === null)
    return failed(`what the model wrote is not valid: ${first?.path ?? '$'}: ${first?.message ?? ''}`);
  return { definition, why: null };
}

/** The object that an answer is, or holds in a block of code. */
function objectIn(text: string): JsonObject | null {
  const [, block] = /```(?:json)?\s*\n([\s\S]*?)```/.exec(text) ?? [];
  try {
    const value = JSON.parse(block ?? text) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function failed(why: string): Drafted {
  return { definition: null, why: why.split('\n')[0]?.slice(0, 300) ?? '' };
}

function catalogue(caller: Caller): ReturnType<typeof readModels> {
  const { file, text } = modelConfig(caller.configHome);
  return readModels(file, text, modelEnvironment(caller.configHome));
}

const FORMAT = `You draft a workflow file for "q workflow". Answer with one JSON object and nothing else.
Keys: "name", "version" (x.y.z), "description", "inputs" (name → {"type": string|number|boolean|object|array|any, "required": true} or {"type", "default"}),
"context": {"readonly": {…}, "mutable": {…}}, "triggers": [{"type": "schedule", "cron", "timezone"}], "steps" (at least one),
"error_handling": {"default": strategy, "per_step": {id: strategy}} (halt, skip, rollback, or {"strategy": "retry", "max_attempts": 3}), "resource_limits": {"max_memory_mb", "max_execution_time" (seconds)}.
Each step has "id" (lower-case letters, digits, hyphens; unique) and "type":
- skill: "skill", "inputs" {parameter: value}, "outputs" [fields], "timeout" (seconds)
- agent: "agent", "inputs" {"task": text}, "outputs", "guardrails" {"max_iterations", "allowed_tools"}
- approval: "message"
- parallel: "steps", "wait_for" all|any|none
- conditional: "condition" (CEL, such as fetch.exit_code == 0), "then" [steps], "else" [steps]
- loop: "condition" (CEL; "iteration" counts from 0), "steps", "max_iterations"
An input that is the whole string "step-id.field", "inputs.name" or "context.name" is that value; "text \${{ step-id.field }}" puts one into a text.
Steps may use only results of earlier steps. A skill gives "stdout" and "exit_code" beside fields of its own; an agent gives "text".
Use only the skills and agents that are listed, with the parameters that they declare. No other keys.`;

function promptFor({ purpose, name, skills, agents }: DraftRequest): {
  system: string;
  messages: readonly { role: 'user'; text: string }[];
} {
  const usable = ranked(
    skills.filter(({ problems }) => problems.length === 0),
    purpose,
  ).slice(0, MAX_PARTS);
  const parts = {
    skills: usable.map((skill) => ({
      name: skill.name,
      description: skill.description,
      parameters: skill.parameters.map((each) => ({
        name: each.name,
        type: each.type,
        required: each.isRequired,
      })),
    })),
    agents: ranked(agents, purpose)
      .slice(0, MAX_PARTS)
      .map((agent) => ({ name: agent.name, description: agent.description })),
  };
  const text = `Purpose: ${purpose}\nName: ${name}\nWhat there is: ${JSON.stringify(parts)}`;
  return { system: FORMAT, messages: [{ role: 'user', text }] };
}
