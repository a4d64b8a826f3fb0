/** A program of another maker that does the work of an agent step: where it runs, what it is given, what it may do. */
import { isAbsolute } from 'node:path';
import type { CommandSpec } from '../../sandbox/isolation.ts';
import { type AcpHost, acpDriver } from '../agents/acp/acp-driver.ts';
import { acpProfile } from '../agents/acp/profiles.ts';
import type { DriverChoice } from '../agents/driver-choice.ts';
import type { Agent } from '../agents/files/agent.ts';
import { readGuardrails } from '../agents/files/guardrails.ts';
import { loadSettingsPatterns, settingsRefusal } from '../agents/files/settings.ts';
import { type HeadlessHost, headlessDriver } from '../agents/headless/headless-driver.ts';
import { headlessProfile } from '../agents/headless/profiles.ts';
import { LineProcess } from '../agents/line-process.ts';
import { findProgram } from '../agents/native/native-run.ts';
import { familyOf, mayHave, type ToolChoice } from '../agents/native/tool-choice.ts';
import type { AgentStep } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { PROGRAM } from '../guard/policy/calls/traffic.ts';
import { canonicalTool } from '../guard/tools.ts';
import { AGENT_PROFILES } from '../protocol/agent-profiles.ts';
import type { AgentAttemptParts } from './agent-attempt-parts.ts';
import { makeAgentHome } from './agent-home.ts';
import type { OpenDriver } from './opened-driver.ts';
import { usedTier } from './step-sandbox.ts';
import { createToolHost, type StepToolHost } from './tool-host.ts';

/** Longer than any step may last: the clock of the driver ends it. */
const NO_TIMEOUT_MS = 2 ** 50;

interface Program {
  readonly parts: AgentAttemptParts;
  readonly agent: Agent;
  readonly step: AgentStep;
  readonly host: StepToolHost;
  readonly choice: ToolChoice;
  /** Its path. */
  readonly file: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Throws SPAWN_FAILED when the program is not there, and ISOLATION_MISSING. */
export function openProgram(
  parts: AgentAttemptParts,
  agent: Agent,
  { name, profile }: DriverChoice,
): OpenDriver {
  const { bootstrap, command } = parts;
  const { step } = command;
  if (step.type !== 'agent') throw new WorkflowError('INTERNAL', `step "${command.path}" is no agent step`);
  const { allowedTools, deniedTools } = readGuardrails(step);
  const host = createToolHost({ ...parts, step, output: parts.log });
  const variables = bootstrap.agentVariables[step.agent] ?? {};
  const program: Program = {
    parts,
    agent,
    step,
    host,
    choice: { tools: agent.tools, allowed: allowedTools, denied: deniedTools },
    file: findProgram(AGENT_PROFILES[profile].program, bootstrap.workspace, host),
    variables,
  };
  if (bootstrap.sandbox.steps[step.id]?.tier === 'untrusted')
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `step "${step.id}" has the tier untrusted, in which an agent of its own has neither a home nor a network`,
    );
  const driver = name === 'acp' ? acpDriver(acpHost(program)) : headlessDriver(headlessHost(program));
  return { driver, secrets: secretsOf(variables) };
}

function acpHost(program: Program): AcpHost {
  const { parts, agent, host, choice } = program;
  const profile = profileOf(agent, acpProfile);
  const folders = { workspace: host.workspace, home: parts.bootstrap.env['HOME'] ?? null };
  return {
    profile,
    workspace: host.workspace,
    refusal: (tool, args) =>
      mayHave(choice, tool)
        ? settingsRefusal(agent.toolsSettings, tool, args, folders)
        : `${tool} is not allowed here`,
    launch: async (handlers) => {
      await loadSettingsPatterns(agent.toolsSettings);
      return await LineProcess.start(
        profile.name,
        commandOf(program, profile.args, profile.files, (home) => profile.environment(home)),
        {
          scope: host.openScope('agent'),
          sandbox: sandboxOf(program),
          output: parts.log,
          masked: () => [...parts.masked(), ...secretsOf(program.variables)],
        },
        handlers,
      );
    },
  };
}

function headlessHost(program: Program): HeadlessHost {
  const { parts, agent, step, host, choice } = program;
  const { bootstrap } = parts;
  const profile = profileOf(agent, headlessProfile);
  const tier = usedTier(bootstrap, step);
  if (tier !== 'agent')
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `step "${step.id}" has a headless agent, whose calls nobody decides: it needs the tier agent, and ${tier ?? 'none'} is held here`,
    );
  return {
    profile,
    trusted: (bootstrap.agentPolicies[step.id]?.trusted ?? []).filter(
      (tool) => mayHave(choice, tool) && !hasSettings(agent, tool),
    ),
    run: (words, files, signal) =>
      host.run(
        PROGRAM,
        {
          spec: commandOf(program, words, files, () => ({})),
          stdin: '',
          timeoutMs: NO_TIMEOUT_MS,
          grant: null,
        },
        signal,
      ),
  };
}

/** What an agent file says of a tool's arguments nobody could hold it to. */
function hasSettings({ toolsSettings }: Agent, tool: string): boolean {
  return Object.keys(toolsSettings).some(
    (name) => canonicalTool(name) === tool || familyOf(name).includes(tool),
  );
}

function commandOf(
  { parts, file, host, variables }: Program,
  args: readonly string[],
  files: Readonly<Record<string, string>>,
  own: (home: string) => Readonly<Record<string, string>>,
): CommandSpec {
  const { scratch, sandbox } = parts.bootstrap;
  const home = makeAgentHome(scratch, files, sandbox.ground.user);
  // The variables of the caller first: none of them changes what makes it ask.
  const env = { ...host.env, ...variables, ...own(home) };
  // The home changes behind the sandbox, which has to know the person's own to hide it.
  const words = [`HOME=${home}`, file, ...args];
  return { file: findProgram('env', host.workspace, host), args: words, cwd: host.workspace, env };
}

function sandboxOf({ host, file }: Program) {
  return host.sandboxFor(PROGRAM, isAbsolute(file) ? [file] : []);
}

function profileOf<T>(agent: Agent, find: (name: DriverChoice['profile']) => T | null): T {
  const found = agent.driver === undefined ? null : find(agent.driver.profile);
  if (found !== null) return found;
  throw new WorkflowError(
    'INTERNAL',
    `the agent "${agent.name}" has a profile that its driver does not know`,
  );
}

/** Addresses and names of models are no secrets; everything else is taken for one. */
function secretsOf(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables)
    .filter(([name, value]) => !/_(?:URL|MODEL|REGION)$|SIGV4$/.test(name) && value.length >= 8)
    .map(([, value]) => value);
}
