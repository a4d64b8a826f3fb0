import type { Scope } from '../../sandbox/isolation.ts';
import { HookCache } from '../agents/hooks/hook-cache.ts';
import type { Suspended } from '../agents/run.ts';
import type { JsonObject, LeafStep } from '../definition/workflow.ts';
import type { Outcome } from '../engine/contract.ts';
import type { RunEvent } from '../engine/events.ts';
import { ensureWorkflowError, WorkflowError } from '../errors/workflow-error.ts';
import type { KillScope } from '../guard/kill/kill-scope.ts';
import { SKILL_STEP } from '../guard/policy/calls/traffic.ts';
import type { Bootstrap, Permit, PermitRequest } from '../protocol/instance-link.ts';
import { hasPatterns, validateParameters } from '../skills/parameters.ts';
import { runPrompt } from '../skills/prompt.ts';
import { assertUsable, isEffectFree, runSkill } from '../skills/run-skill.ts';
import { SessionPool } from '../skills/session-pool.ts';
import type { Skill } from '../skills/skill.ts';
import { skillScopeLimits } from '../skills/timeout.ts';
import { openTranscripts } from './agent-transcripts.ts';
import { createCallsInFlight } from './calls-in-flight.ts';
import type { Decisions } from './decisions.ts';
import { tellLastLine } from './last-line.ts';
import { type LimitHit, runCpuHit, stepLimitHits } from './limit-events.ts';
import type { TellNetwork } from './network-recorder.ts';
import type { RunCommand } from './run-command.ts';
import { openSecrets } from './secrets.ts';
import { openStepLog } from './step-log.ts';
import { stepSandbox, usedTier } from './step-sandbox.ts';
import { subjectOf } from './step-subject.ts';
import { suspendedOn } from './suspended.ts';

/** Attempts of leaf steps: what they need of the world, and what came of them. */
export interface Attempts {
  /** Takes what the engine said when it took the run over; answers what is to be journaled beside it. */
  recover(resumed: readonly RunEvent[]): readonly RunEvent[];
  /** What is to be journaled of calls that still wait for a person when the run ends. */
  abandoned(): readonly RunEvent[];
  /** True when the attempt touches nothing and may be settled at once. */
  isEffectFree(command: RunCommand): boolean;
  /** The outcome of an effect-free attempt. */
  settleNow(command: RunCommand): Outcome;
  permitRequest(command: RunCommand): PermitRequest;
  /** Runs an attempt to its outcome; null when it was cancelled. Never rejects. */
  run(command: RunCommand, signal: AbortSignal): Promise<Outcome | null>;
  /** Ends the calls of tools that the scope of a kill switch covers; their steps go on. Resolves when they are over. */
  endCalls(scope: KillScope, reason: string, isGentle: boolean): Promise<void>;
  /** Limits of the whole instance that were met, as the kernel's counters say now. */
  runLimits(): LimitHit[];
  /** Sessions that are open: such an instance cannot be let go while it waits. */
  readonly openSessions: number;
  close(): Promise<void>;
}

/** What attempts need of the instance around them. */
export interface AttemptsAround {
  /** Takes facts that are no outcome, such as a limit that was hit. */
  readonly observe: (event: RunEvent) => void;
  /** Asks leave for an effect within an attempt. */
  readonly ask: (request: PermitRequest, signal: AbortSignal) => Promise<Permit | null>;
  /** Has what a proxy decided, or how a connection ended, recorded. */
  readonly tell: TellNetwork;
  readonly decisions: Decisions;
  /** A line for people who watch. */
  readonly progress: (path: string, line: string) => void;
}

export function createAttempts(
  bootstrap: Bootstrap,
  scope: Scope,
  { observe, decisions, ask, tell, progress }: AttemptsAround,
): Attempts {
  let opened = 0;
  const secrets = openSecrets(bootstrap.secretsFolder, bootstrap.workflow, bootstrap.journal);
  const transcripts = openTranscripts(bootstrap);
  const calls = createCallsInFlight();
  const hookCache = new HookCache();
  const sessions = new SessionPool({
    instance: bootstrap.instance,
    workspace: bootstrap.workspace,
    env: bootstrap.env,
    memoryLimitBytes: bootstrap.workflow.limits.maxMemoryMb * 1024 * 1024,
    openScope: (name, skill) => scope.openChild(name, skillScopeLimits(skill)),
    onLeftover,
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
    return {
      path: command.path,
      attempt: command.attempt,
      kind: 'failed',
      error: { ...record, step: command.path, ...(details === undefined ? {} : { details }) },
    };
  };

  /** Journals the limits that an attempt met, before its outcome. */
  const tellLimits = (command: RunCommand, skill: Skill, error: unknown, scope: Scope | null): void => {
    const { limits } = bootstrap.workflow;
    const record = error === null ? null : ensureWorkflowError(error).toRecord();
    const hits = stepLimitHits(command.path, record, scope?.usage() ?? null, {
      memoryBytes: skill.limits.maxMemoryBytes ?? limits.maxMemoryMb * 1024 * 1024,
      processes: limits.maxProcesses,
      cpuPercent: skillScopeLimits(skill).cpuPercent,
    });
    for (const hit of hits) observe(hit);
  };

  const completed = (command: RunCommand, result: JsonObject): Outcome => ({
    path: command.path,
    attempt: command.attempt,
    kind: 'completed',
    result,
  });

  const run = async (command: RunCommand, signal: AbortSignal): Promise<Outcome | null> => {
    const skill = skillOf(command);
    if (command.step.type === 'agent' || skill?.type === 'conversation')
      return converse(command, skill, signal);
    if (skill === null) return failed(command, notPinned(command));
    let child: Scope | null = null;
    let failure: unknown = null;
    opened += 1;
    const name = `step-${bootstrap.incarnation}-${opened}`;
    try {
      const log = await openStepLog(bootstrap.folder, name, command.path, command.attempt, signal);
      const output = tellLastLine(log, (line) => progress(command.path, line));
      try {
        const given = secrets.of(command.path, command.step.inputs, command.inputs);
        const result = await runSkill(skill, {
          inputs: command.inputs,
          outputs: command.step.outputs,
          openScope: () => {
            child = scope.openChild(name, skillScopeLimits(skill));
            return child;
          },
          sandbox: stepSandbox(bootstrap, command.step, skill, {
            path: command.path,
            attempt: command.attempt,
            tool: SKILL_STEP,
            tell,
            output: skill.type === 'code_session' ? null : log,
          }),
          sessions,
          workspace: bootstrap.workspace,
          env: bootstrap.env,
          timeoutMs: command.step.timeoutMs,
          idempotencyKey: `${bootstrap.instance}:${command.key}`,
          instance: bootstrap.instance,
          stepPath: command.path,
          attempt: command.attempt,
          secrets: given,
          masked: () => secrets.masked(),
          output,
          signal,
          memoryLimitBytes:
            skill.limits.maxMemoryBytes ?? bootstrap.workflow.limits.maxMemoryMb * 1024 * 1024,
          processLimit: bootstrap.workflow.limits.maxProcesses,
        });
        return result.kind === 'completed' ? completed(command, result.result) : null;
      } catch (thrown) {
        failure = thrown;
        throw thrown;
      } finally {
        tellLimits(command, skill, failure, child);
        output.close();
        log.close();
      }
    } catch (error) {
      return failed(command, error);
    } finally {
      await removeScope(child);
    }
  };

  /** An agent, or a skill that is a conversation. Loaded only here: most runs have neither. */
  const converse = async (
    command: RunCommand,
    skill: Skill | null,
    signal: AbortSignal,
  ): Promise<Outcome | null> => {
    const { runAgentAttempt } = await import('./agent-attempt.ts');
    let child: Scope | null = null;
    opened += 1;
    const name = `step-${bootstrap.incarnation}-${opened}`;
    try {
      const log = await openStepLog(bootstrap.folder, name, command.path, command.attempt, signal);
      try {
        const result = await runAgentAttempt(
          {
            bootstrap,
            command,
            skill,
            transcript: await transcripts.begin(command.path),
            log,
            observe,
            ask,
            tell,
            calls,
            decisions,
            hookCache,
            openScope: () => {
              child = scope.openChild(name, { memoryBytes: null, cpuPercent: null, processes: null });
              return child;
            },
            sessions,
            masked: () => secrets.masked(),
            progress: (line) => progress(command.path, line),
            onLeftover,
          },
          signal,
        );
        return result === null ? null : completed(command, result);
      } finally {
        log.close();
      }
    } catch (error) {
      if (signal.aborted) return null;
      // The class is known only where an agent ran: this file is loaded by every run.
      if (!(error instanceof Error && 'approvals' in error)) return failed(command, error);
      transcripts.suspend(command.path);
      return suspendedOn(command, (error as Suspended).approvals);
    } finally {
      await removeScope(child);
    }
  };

  return {
    recover: (resumed) => transcripts.recover(resumed),
    abandoned: () => transcripts.abandon(),
    isEffectFree: (command) => {
      const skill = skillOf(command);
      if (skill === null) return command.step.type === 'skill';
      return isEffectFree(skill) && !hasPatterns(skill);
    },
    settleNow: (command) => {
      const skill = skillOf(command);
      try {
        if (skill === null) throw notPinned(command);
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
      kind: kindOf(command.step, skillOf(command)),
      path: command.path,
      attempt: command.attempt,
      subject: subjectOf(command.step),
      agentName: command.step.type === 'agent' ? command.step.agent : null,
      tier: command.step.type === 'approval' ? null : usedTier(bootstrap, command.step),
    }),
    run,
    endCalls: (scope, reason, isGentle) => calls.trip(scope, reason, isGentle),
    runLimits: () => runCpuHit(scope.usage(), bootstrap.workflow.limits.maxCpuPercent, process.uptime()),
    get openSessions() {
      return sessions.openCount;
    },
    close: () => sessions.close(),
  };
}

function notPinned({ step, path }: RunCommand): WorkflowError {
  const what = `${step.type} "${subjectOf(step)}"`;
  return new WorkflowError('SKILL_NOT_FOUND', `step "${path}" needs the ${what}, which is not pinned`);
}

function kindOf(step: LeafStep, skill: Skill | null): PermitRequest['kind'] {
  if (step.type === 'approval') return 'approval';
  return skill?.type === 'code_session' ? 'session' : 'spawn';
}

async function removeScope(scope: Scope | null): Promise<void> {
  if (scope === null) return;
  try {
    await scope.remove();
  } catch (error) {
    onLeftover(error);
  }
}

/** The supervisor removes what is left with the whole instance; the outcome of a step must not depend on it. */
function onLeftover(error: unknown): void {
  process.stderr.write(`the scope of a step could not be removed: ${String(error)}\n`);
}
