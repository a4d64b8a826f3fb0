/** One attempt of an agent step, or of a conversation skill: its driver with journal, policies and answer rules. */
import type { Agent } from '../agents/files/agent.ts';
import type { AgentPolicies } from '../agents/files/agent-policies.ts';
import { readGuardrails } from '../agents/files/guardrails.ts';
import { type AnswerRules, answerForm } from '../agents/native/answer.ts';
import { systemPrompt, taskText } from '../agents/native/conversation.ts';
import { type AgentWorld, Suspended } from '../agents/run.ts';
import { compileSchema } from '../agents/schema.ts';
import { cleanText } from '../agents/text.ts';
import { sha256 } from '../audit/canonical.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { hideKinds, type SecretKind } from '../guard/secret-kinds.ts';
import { maskWith } from '../guard/secret-mask.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import { undecided } from '../protocol/open-calls.ts';
import { validateParameters } from '../skills/parameters.ts';
import { runPrompt } from '../skills/prompt.ts';
import { Redactor } from '../skills/redact.ts';
import { holdsSecret } from '../skills/secrets.ts';
import type { Skill } from '../skills/skill.ts';
import { skillTimeoutMs } from '../skills/timeout.ts';
import { onAbort, startTimer } from '../skills/waits.ts';
import type { AgentAttemptParts } from './agent-attempt-parts.ts';
import { openDriver } from './agent-driver.ts';
import { eventLines } from './agent-log.ts';
import type { RunCommand } from './run-command.ts';
import { usedTier } from './step-sandbox.ts';
import { subjectOf } from './step-subject.ts';

/** Who answers: what an agent file, a step and a skill say of it, in one form. */
interface Role {
  readonly subject: string;
  readonly prompt: string;
  readonly task: string;
  readonly outputSchema: JsonObject | null;
  readonly timeoutMs: number | null;
}

/** Runs it to its result; null when it was cancelled. Throws what `runAgent` throws, and MODEL_NOT_CONFIGURED. */
export async function runAgentAttempt(
  parts: AgentAttemptParts,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  const { bootstrap, command, transcript, skill } = parts;
  const role = skill === null ? agentRole(parts) : conversationRole(command, skill);
  const policies = policiesOf(bootstrap, command.step.id);
  const { outputs } = command.step;
  const checkSchema = await schemaCheck(
    [...(role.outputSchema === null ? [] : [role.outputSchema]), ...policies.outputSchemas],
    `step "${command.path}"`,
  );
  const rules: AnswerRules = { outputs, checkSchema };
  const { driver, secrets } = await openDriver(parts, agentIn(parts), role.subject, signal);
  const world = createWorld(parts, secrets, policies.redact);
  let isSuspended = false;
  try {
    const result = await driver.run(
      {
        path: command.path,
        attempt: command.attempt,
        system: systemPrompt(
          role.prompt,
          answerForm(rules, role.outputSchema ?? policies.outputSchemas[0] ?? null),
        ),
        task: role.task,
        limits: policies.limits,
        stuck: policies.stuck,
        timeoutMs: role.timeoutMs,
        rules,
      },
      transcript,
      world,
      signal,
    );
    // Steps read the text of any skill as stdout.
    return result === null || skill === null ? result : { stdout: result['text'] ?? '', ...result };
  } catch (error) {
    isSuspended = error instanceof Suspended && !signal.aborted;
    throw error;
  } finally {
    // What the driver knows of open calls it says first.
    await driver.close();
    // Who waits for a person has its calls open; nobody comes back to those of an attempt that has ended.
    const open = isSuspended ? [] : transcript.openCalls.map((call) => ({ path: command.path, call }));
    world.record(undecided(open, 'agent', sha256));
    await world.written();
  }
}

function agentRole({ bootstrap, command }: AgentAttemptParts): Role {
  const { step } = command;
  if (step.type !== 'agent') throw new WorkflowError('INTERNAL', `step "${command.path}" is no agent step`);
  const agent = agentOf(bootstrap.agents, step.agent);
  if (holdsSecret(command.inputs))
    throw new WorkflowError(
      'PARAMETER_INVALID',
      `agent "${agent.name}": a secret may not be in what a model is told`,
    );
  const { outputSchema } = readGuardrails(step);
  return {
    subject: `agent:${step.agent}`,
    prompt: agent.prompt,
    task: taskText(command.inputs),
    outputSchema: outputSchema ?? agent.outputSchema,
    timeoutMs: step.timeoutMs,
  };
}

function conversationRole(command: RunCommand, skill: Skill): Role {
  const { result } = runPrompt(skill, validateParameters(skill, command.inputs, null));
  return {
    subject: `skill:${skill.name}`,
    prompt: skill.description,
    task: result.text,
    outputSchema: null,
    timeoutMs: skillTimeoutMs(skill, command.step.timeoutMs),
  };
}

function agentOf(agents: Readonly<Record<string, Agent>>, name: string): Agent {
  const agent = agents[name];
  if (agent === undefined) throw new WorkflowError('AGENT_NOT_FOUND', `the agent "${name}" is not pinned`);
  return agent;
}

/** The supervisor told them of every step that talks to a model. */
function policiesOf({ agentPolicies }: Bootstrap, stepId: string): AgentPolicies {
  const policies = agentPolicies[stepId];
  if (policies === undefined)
    throw new WorkflowError('INTERNAL', `no policies came for the step "${stepId}"`);
  return policies;
}

/** One check for all schemas: the first problem; null when there are none. */
async function schemaCheck(
  schemas: readonly JsonObject[],
  where: string,
): Promise<((value: Json) => string | null) | null> {
  if (schemas.length === 0) return null;
  const checks = await Promise.all(schemas.map((schema) => compileSchema(schema, where)));
  return (value) => checks.map((check) => check(value)).find((problem) => problem !== null) ?? null;
}

function agentIn({ bootstrap, command: { step } }: AgentAttemptParts): Agent | null {
  return step.type === 'agent' ? agentOf(bootstrap.agents, step.agent) : null;
}

function createWorld(
  parts: AgentAttemptParts,
  keys: readonly string[],
  redact: readonly SecretKind[],
): AgentWorld & { written(): Promise<void> } {
  const { bootstrap, command, transcript } = parts;
  const { step, path, attempt } = command;
  const tier = usedTier(bootstrap, step);
  const subject = subjectOf(step);
  const agentName = step.type === 'agent' ? step.agent : null;
  const pending: Promise<void>[] = [];
  const maskOf = maskWith(bootstrap.maskKey);
  const redactor = new Redactor([], maskOf);
  return {
    record: (events) => {
      for (const fact of events) {
        const event = { ...fact, workedMs: Math.round(transcript.workedMs) };
        parts.observe(event);
        transcript.apply(event);
        for (const { stream, text } of eventLines(event)) {
          const written = parts.log.write(stream, Buffer.from(text));
          if (written !== undefined) pending.push(written);
        }
        if (event.type === 'agent.tool_called') parts.progress(event.tool);
      }
    },
    permit: (kind, agent, signal) =>
      parts.ask({ kind, path, attempt, subject, agentName, tier, agent }, signal),
    decided: (approval, signal) => parts.decisions.wait(approval, signal),
    during: (tool, signal, work) => {
      const { workflow, instance } = bootstrap;
      const subject = { workflow: workflow.name, instance, agent: agentName, tool, path };
      return parts.calls.during(subject, signal, work);
    },
    mask: (text) => {
      // What is masked is cleaned first: so that secrets are looked for in that form, too.
      for (const value of [...parts.masked(), ...keys]) redactor.add([value, cleanText(value)]);
      return hideKinds(redactor.text(text), redact, maskOf);
    },
    random: Math.random,
    wait: async (ms, signal) => {
      const over = Promise.withResolvers<void>();
      const release = [startTimer(ms, over.resolve), onAbort(signal, over.resolve)];
      await over.promise;
      for (const free of release) free();
    },
    written: async () => {
      await Promise.all(pending);
    },
  };
}
