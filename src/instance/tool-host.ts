/** What the tools of one agent step run in: a scope of the step with one below it for each call, and its sandbox. */
import { isAbsolute, relative } from 'node:path';
import type { Scope, ScopeLimits } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import { type NetworkGrant, NetworkGrants } from '../../sandbox/network/grants.ts';
import type { ToolHost } from '../agents/native/native-run.ts';
import { runCommand } from '../agents/run-command.ts';
import type { AgentStep } from '../definition/workflow.ts';
import { maskWith } from '../guard/secret-mask.ts';
import { programFile } from '../protocol/install.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import type { OutputSink } from '../skills/output.ts';
import { Redactor } from '../skills/redact.ts';
import { runSkill } from '../skills/run-skill.ts';
import type { SessionPool } from '../skills/session-pool.ts';
import { skillScopeLimits } from '../skills/timeout.ts';
import type { NetworkOwner, TellNetwork } from './network-recorder.ts';
import type { RunCommand } from './run-command.ts';
import { stepSandbox, toolSandbox } from './step-sandbox.ts';

export interface ToolHostParts {
  readonly bootstrap: Bootstrap;
  readonly command: RunCommand;
  readonly step: AgentStep;
  /** Opens the scope of this attempt; called at the first call of a tool. */
  readonly openScope: () => Scope;
  readonly sessions: SessionPool;
  readonly output: OutputSink;
  readonly masked: () => readonly string[];
  readonly tell: TellNetwork;
  readonly progress: (line: string) => void;
  readonly onLeftover: (error: unknown) => void;
}

export interface StepToolHost extends ToolHost {
  /** The sandbox of a tool, with the network that it has; `files` are what it has to see. */
  sandboxFor(tool: string, files: readonly string[], grants?: NetworkGrants | null): StepSandbox;
  /** A scope below that of the step. */
  openScope(name: string, limits?: ScopeLimits): Scope;
}

const NO_LIMITS: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };

export function createToolHost(parts: ToolHostParts): StepToolHost {
  const { bootstrap, command, step } = parts;
  const { workspace, scratch, skills } = bootstrap;
  const runnerFile = programFile('agents/runner/main');
  const ownerOf = (tool: string): NetworkOwner => {
    const { path, attempt } = command;
    return { path, attempt, tool, tell: parts.tell, output: parts.output };
  };
  const sandboxFor: StepToolHost['sandboxFor'] = (tool, files, grants = null) =>
    toolSandbox(bootstrap, step, files, ownerOf(tool), grants);
  const env = {
    ...toolEnvironment(bootstrap.env, [workspace, scratch]),
    Q_WORKFLOW_INSTANCE: bootstrap.instance,
    Q_WORKFLOW_STEP: command.path,
    Q_WORKFLOW_ATTEMPT: String(command.attempt),
  };
  const redactor = (): Redactor => new Redactor([], maskWith(bootstrap.maskKey), parts.masked);
  let stepScope: Scope | null = null;
  let opened = 0;
  const openScope: StepToolHost['openScope'] = (name, limits = NO_LIMITS) => {
    stepScope ??= parts.openScope();
    opened += 1;
    return stepScope.openChild(`${name}-${opened}`, limits);
  };
  /** With a scope of its own, that is gone afterwards. */
  const within = async <T>(
    name: string,
    limits: ScopeLimits,
    work: (scope: Scope) => Promise<T>,
  ): Promise<T> => {
    const scope = openScope(name, limits);
    try {
      return await work(scope);
    } finally {
      await scope.remove().catch(parts.onLeftover);
    }
  };
  return {
    workspace,
    scratch,
    env,
    runner: [process.execPath, '--no-warnings', runnerFile],
    sandboxFor,
    openScope,
    run: (name, { grant, ...given }, signal) =>
      within('call', NO_LIMITS, (scope) => {
        // Its process is the call: what it was granted ends with it.
        const sandbox = sandboxFor(name, [runnerFile], grant === null ? null : grantsOf(grant));
        return runCommand({ name, ...given, scope, sandbox, redactor, signal });
      }),
    skills: Object.values(skills)
      .filter(
        ({ type, problems }) => problems.length === 0 && (type === 'code_inline' || type === 'prompt_inline'),
      )
      .map(({ name }) => name),
    useSkill: async (name, inputs, signal) => {
      const skill = skills[name];
      if (skill === undefined) return null;
      const result = await within('skill', skillScopeLimits(skill), (scope) =>
        runSkill(skill, {
          inputs,
          outputs: [],
          openScope: () => scope,
          sandbox: stepSandbox(bootstrap, step, skill, ownerOf('use_skill')),
          sessions: parts.sessions,
          workspace,
          env: bootstrap.env,
          timeoutMs: null,
          idempotencyKey: `${bootstrap.instance}:${command.key}:${name}`,
          instance: bootstrap.instance,
          stepPath: command.path,
          attempt: command.attempt,
          // A model names no secrets.
          secrets: {},
          masked: parts.masked,
          output: parts.output,
          signal,
        }),
      );
      return result.kind === 'completed' ? result.result : null;
    },
    progress: parts.progress,
  };
}

function grantsOf(grant: NetworkGrant): NetworkGrants {
  const grants = new NetworkGrants();
  grants.open(grant);
  return grants;
}

/**
 * git takes a folder for a repository by what is in it, and its `config` says what git runs: an agent that may write files
 * could make one. Only what is named `.git`, which agents cannot write, or named on the command line, is one then.
 */
const NAMED_REPOSITORIES = {
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.bareRepository',
  GIT_CONFIG_VALUE_0: 'explicit',
} as const;

/** What tools inherit: the caller's allow-list, without folders on PATH that an agent could fill. */
function toolEnvironment(
  env: Readonly<Record<string, string>>,
  writable: readonly string[],
): Readonly<Record<string, string>> {
  const folders = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const kept = folders.filter(
    (folder) => isAbsolute(folder) && writable.every((place) => relative(place, folder).startsWith('..')),
  );
  return { ...env, ...NAMED_REPOSITORIES, PATH: kept.join(':') };
}
