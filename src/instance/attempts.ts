import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../../sandbox/isolation.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import type { Command, Outcome } from '../engine/contract.ts';
import type { RunEvent } from '../engine/events.ts';
import { ensureWorkflowError, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import type { Bootstrap, PermitRequest } from '../protocol/instance-link.ts';
import { hasPatterns, validateParameters } from '../skills/parameters.ts';
import { runPrompt } from '../skills/prompt.ts';
import { assertUsable, isEffectFree, runSkill } from '../skills/run-skill.ts';
import { secretName } from '../skills/secrets.ts';
import { SessionPool } from '../skills/session-pool.ts';
import type { Skill } from '../skills/skill.ts';
import { skillScopeLimits } from '../skills/timeout.ts';
import { openStepLog } from './step-log.ts';

export type RunCommand = Extract<Command, { type: 'run' }>;

/** Attempts of leaf steps: what they need of the world, and what came of them. */
export interface Attempts {
  /** True when the attempt touches nothing and may be settled at once. */
  isEffectFree(command: RunCommand): boolean;
  /** The outcome of an effect-free attempt. */
  settleNow(command: RunCommand): Outcome;
  permitRequest(command: RunCommand): PermitRequest;
  /** Runs an attempt to its outcome; null when it was cancelled. Never rejects. */
  run(command: RunCommand, signal: AbortSignal): Promise<Outcome | null>;
  /** Sessions that are open: such an instance cannot be let go while it waits. */
  readonly openSessions: number;
  close(): Promise<void>;
}

/** `observe` takes facts that are no outcome, such as a limit that was hit. */
export function createAttempts(
  bootstrap: Bootstrap,
  scope: Scope,
  observe: (event: RunEvent) => void,
): Attempts {
  let opened = 0;
  const secrets: Record<string, string> = {};
  const sessions = new SessionPool({
    instance: bootstrap.instance,
    workspace: bootstrap.workspace,
    env: bootstrap.env,
    memoryLimitBytes: bootstrap.workflow.limits.maxMemoryMb * 1024 * 1024,
    openScope: (name, skill) => scope.openChild(name, skillScopeLimits(skill)),
  });

  const skillOf = (command: RunCommand): Skill | null =>
    command.step.type === 'skill' ? (bootstrap.skills[command.step.skill] ?? null) : null;

  const failed = (command: RunCommand, error: unknown): Outcome => {
    const known = ensureWorkflowError(error);
    const ownLimit = skillOf(command)?.limits.maxMemoryBytes ?? null;
    const record = known.toRecord();
    const details =
      known.code === 'STEP_OOM'
        ? { ...record.details, limit_of: ownLimit === null ? 'instance' : 'skill' }
        : record.details;
    if (known.code === 'STEP_OOM') {
      const allowed = ownLimit ?? bootstrap.workflow.limits.maxMemoryMb * 1024 * 1024;
      const peak = Number(record.details?.['peak_bytes'] ?? record.details?.['memory_peak_bytes'] ?? allowed);
      observe({ type: 'limit.hit', path: command.path, limit: 'memory', allowed, peak });
    }
    return {
      path: command.path,
      attempt: command.attempt,
      kind: 'failed',
      error: { ...record, step: command.path, ...(details === undefined ? {} : { details }) },
    };
  };

  const completed = (command: RunCommand, result: JsonObject): Outcome => ({
    path: command.path,
    attempt: command.attempt,
    kind: 'completed',
    result,
  });

  const run = async (command: RunCommand, signal: AbortSignal): Promise<Outcome | null> => {
    const skill = skillOf(command);
    if (skill === null) return failed(command, noDriver(command));
    let child: Scope | null = null;
    opened += 1;
    const name = `step-${bootstrap.incarnation}-${opened}`;
    try {
      const log = await openStepLog(bootstrap.folder, name, command.path, command.attempt, signal);
      try {
        for (const secret of secretNames(command.inputs))
          secrets[secret] = readSecret(bootstrap.secretsFolder, secret);
        const result = await runSkill(skill, {
          inputs: command.inputs,
          outputs: command.step.outputs,
          openScope: () => {
            child = scope.openChild(name, skillScopeLimits(skill));
            return child;
          },
          sessions,
          workspace: bootstrap.workspace,
          env: bootstrap.env,
          timeoutMs: command.step.timeoutMs,
          idempotencyKey: `${bootstrap.instance}:${command.key}`,
          instance: bootstrap.instance,
          stepPath: command.path,
          attempt: command.attempt,
          secrets,
          output: log,
          signal,
          memoryLimitBytes:
            skill.limits.maxMemoryBytes ?? bootstrap.workflow.limits.maxMemoryMb * 1024 * 1024,
          processLimit: bootstrap.workflow.limits.maxProcesses,
        });
        return result.kind === 'completed' ? completed(command, result.result) : null;
      } finally {
        log.close();
      }
    } catch (error) {
      return failed(command, error);
    } finally {
      await removeScope(child);
    }
  };

  return {
    isEffectFree: (command) => {
      const skill = skillOf(command);
      return skill === null || (isEffectFree(skill) && !hasPatterns(skill));
    },
    settleNow: (command) => {
      const skill = skillOf(command);
      try {
        if (skill === null) throw noDriver(command);
        assertUsable(skill);
        const { result } = runPrompt(skill, validateParameters(skill, command.inputs, null));
        const [only] = command.step.outputs;
        const isNamed = command.step.outputs.length === 1 && only !== undefined;
        return completed(command, isNamed ? { [only]: result.text, ...result } : { ...result });
      } catch (error) {
        return failed(command, error);
      }
    },
    permitRequest: (command) => ({
      kind: skillOf(command)?.type === 'code_session' ? 'session' : 'spawn',
      path: command.path,
      attempt: command.attempt,
      subject: command.step.type === 'skill' ? command.step.skill : command.step.agent,
    }),
    run,
    get openSessions() {
      return sessions.openCount;
    },
    close: () => sessions.close(),
  };
}

function noDriver(command: RunCommand): WorkflowError {
  const what =
    command.step.type === 'agent' ? `agent "${command.step.agent}"` : `skill "${command.step.skill}"`;
  return command.step.type === 'agent'
    ? new WorkflowError(
        'AGENT_DRIVER_MISSING',
        `step "${command.path}" needs the ${what}, and there is no agent driver configured`,
      )
    : new WorkflowError('SKILL_NOT_FOUND', `step "${command.path}" needs the ${what}, which is not pinned`);
}

async function removeScope(scope: Scope | null): Promise<void> {
  if (scope === null) return;
  try {
    await scope.remove();
  } catch (error) {
    // The supervisor removes what is left with the whole instance; the outcome of the step must not depend on it.
    process.stderr.write(`the scope of a step could not be removed: ${String(error)}\n`);
  }
}

function secretNames(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const name = secretName(value);
  return name === null ? Object.values(value).flatMap(secretNames) : [name];
}

function readSecret(folder: string, name: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.startsWith('.'))
    throw new WorkflowError('SECRET_MISSING', `"${name}" cannot be the name of a secret`);
  try {
    return readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new WorkflowError('SECRET_MISSING', `the secret "${name}" cannot be read: ${systemCode(error)}`, {
      cause: error,
    });
  }
}
