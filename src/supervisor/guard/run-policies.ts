import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../../agents/files/agent.ts';
import type { AgentPolicies } from '../../agents/files/agent-policies.ts';
import { CONVERSATION_LIMITS, readGuardrails } from '../../agents/files/guardrails.ts';
import { familyOf } from '../../agents/native/tool-choice.ts';
import { allSteps } from '../../definition/references.ts';
import type { AgentStep, Step, Workflow } from '../../definition/workflow.ts';
import { stepAt } from '../../engine/step-at.ts';
import { trafficOf } from '../../guard/network.ts';
import type { GuardedCall } from '../../guard/policy/calls/call.ts';
import { realFiles } from '../../guard/policy/files/file-facts.ts';
import { type LoadedSet, loadPolicySet, type SetPlaces } from '../../guard/policy/files/load-set.ts';
import { type PolicySet, withPolicies } from '../../guard/policy/files/policy-set.ts';
import { settingsOf } from '../../guard/policy/files/settings.ts';
import { isAllowedWhatever } from '../../guard/policy/rules/blanket.ts';
import { narrowingPolicy } from '../../guard/policy/rules/narrowing.ts';
import { mayWriteRepository } from '../../guard/repository.ts';
import type { RunCounts } from '../../guard/run-counts.ts';
import { CANONICAL_TOOLS } from '../../guard/tools.ts';
import type { Home } from '../../protocol/home.ts';
import type { SupervisorContext } from '../context.ts';
import { type Pins, readPins } from '../definitions/pins.ts';
import type { LiveInstance } from '../lifecycle/live-instance.ts';
import { policyEnvironment } from './policy-environment.ts';
import { readCounts } from './read-counts.ts';

/** The policies of one run: read once for each of its processes, and by a reload; narrowed by what its agents and steps say. */
export interface RunPolicies {
  /** For a step, and the agent that asks in it. */
  of(path: string, agentName: string | null): PolicySet;
  /** Those of all steps, as the files say. */
  readonly all: PolicySet;
  readonly home: string;
  readonly workflow: Workflow;
  /** What conditions are asked of the traffic of a step whose calls have proxies of their own; null for others. */
  trafficOf(path: string): GuardedCall | null;
  /** Whether the commands of an agent step may be let change the repository of the workspace. */
  mayWriteRepository(step: AgentStep): boolean;
  /** Of each step that talks to a model, by id: guardrails and policies together. */
  readonly agentPolicies: Readonly<Record<string, AgentPolicies>>;
  /** Of the files that hold for the run. */
  readonly hash: string;
  /** What the run has used so far; what is committed is added. */
  counts: RunCounts;
}

/** Reads the files of some places; a reload reads those of many runs once. */
export type ReadPolicies = (places: SetPlaces) => Promise<LoadedSet>;

interface Known {
  readonly incarnation: number;
  readonly policies: Promise<RunPolicies>;
}

/** What of a run does not change by a reload. */
interface Ground {
  readonly pins: Pins;
  readonly home: string;
  readonly workspace: string;
  readonly tally: { counts: RunCounts };
}

const known = new WeakMap<LiveInstance, Known>();
const grounds = new WeakMap<RunPolicies, Ground>();

/** Rejects when the pins of the run cannot be read; a policy file that cannot be used denies by itself. */
export function policiesOf(context: SupervisorContext, live: LiveInstance): Promise<RunPolicies> {
  const found = known.get(live);
  if (found !== undefined && found.incarnation === live.incarnation) return found.policies;
  return readPoliciesFor(context, live, live.incarnation);
}

/** Reads them anew, for a process that is about to be started: all that it is told and asks comes from one reading. */
export function readPoliciesFor(
  context: SupervisorContext,
  live: LiveInstance,
  incarnation: number,
): Promise<RunPolicies> {
  const policies = load(context, live);
  known.set(live, { incarnation, policies });
  // What failed once is tried again with the next question.
  policies.catch(() => known.delete(live));
  return policies;
}

/** The policies that hold for a run with this environment: its user's home counts. */
export async function policiesIn(
  state: Home,
  workspace: string,
  env: Readonly<Record<string, string>>,
): Promise<PolicySet> {
  return (await loadPolicySet(placesIn(state, workspace, env))).set;
}

function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  return env['HOME'] ?? homedir();
}

export interface Renewal {
  /** Null when nothing was read for this process yet: the next question reads it. */
  readonly oldHash: string | null;
  readonly loaded: LoadedSet;
  /** From now on the run asks under the new policies; what it has used stays counted. */
  apply(): void;
}

/** Reads the policies of a run anew, without using them yet. */
export async function renewPolicies(
  context: SupervisorContext,
  live: LiveInstance,
  read: ReadPolicies,
): Promise<Renewal> {
  const entry = known.get(live);
  // One that could not be read is forgotten already.
  const old = entry?.incarnation === live.incarnation ? await entry.policies.catch(() => null) : null;
  const loaded = await read(placesOf(context, live));
  const ground = old === null ? undefined : grounds.get(old);
  if (old === null || ground === undefined) return { oldHash: null, loaded, apply: () => undefined };
  const policies = Promise.resolve(build(loaded.set, ground));
  return {
    oldHash: old.hash,
    loaded,
    apply: () => {
      // A process that was started meanwhile has read them itself.
      if (known.get(live) === entry) known.set(live, { incarnation: live.incarnation, policies });
    },
  };
}

async function load(context: SupervisorContext, live: LiveInstance): Promise<RunPolicies> {
  const { store } = context;
  const { row } = live;
  const { set } = await loadPolicySet(placesOf(context, live));
  const pins = await readPins(store, row);
  const tally = { counts: await readCounts(store, row.id) };
  return build(set, { pins, home: homeOf(row.env), workspace: row.workspace, tally });
}

function placesOf({ home: state }: SupervisorContext, { row }: LiveInstance): SetPlaces {
  return placesIn(state, row.workspace, row.env);
}

/** Where the policies of a run in this workspace are; they are those of the environment that the supervisor is in. */
export function placesIn(
  state: Home,
  workspace: string,
  env: Readonly<Record<string, string | undefined>>,
): SetPlaces {
  const configHome = process.env['XDG_CONFIG_HOME'] || join(homeOf(env), '.config');
  return { workspace, configHome, state: state.folder, environment: policyEnvironment() };
}

function build(set: PolicySet, ground: Ground): RunPolicies {
  const { home, tally } = ground;
  const { workflow, agents, skills } = ground.pins;
  const narrowed = new Map<string, PolicySet>();
  const of: RunPolicies['of'] = (path, agentName) => {
    const step = stepAt(workflow, path);
    const key = `${step?.id ?? ''} ${agentName ?? ''}`;
    const found = narrowed.get(key) ?? narrow(set, step, agents[agentName ?? ''] ?? null);
    narrowed.set(key, found);
    return found;
  };
  const talking = allSteps(workflow).filter((step) => step.type === 'agent' || talks(step, skills));
  const policies = talking.map((step) => {
    const stepSet = of(step.id, agentOf(step));
    const isHeadless = step.type === 'agent' && agents[step.agent]?.driver?.name === 'headless';
    const trusted = isHeadless
      ? trustedTools(stepSet, { workflow: workflow.name, workspace: ground.workspace, home, step })
      : [];
    return [step.id, { ...agentPolicies(step, stepSet), trusted }] as const;
  });
  const built: RunPolicies = {
    home,
    workflow,
    all: set,
    of,
    trafficOf: (path) => {
      const step = stepAt(workflow, path);
      // A program of another maker does by itself what it was allowed: its traffic is no call.
      if (step?.type !== 'agent' || agents[step.agent]?.driver !== undefined) return null;
      return trafficOf(workflow, step);
    },
    mayWriteRepository: (step) =>
      mayWriteRepository(
        of(step.id, step.agent),
        placeOf(step, { workflow: workflow.name, workspace: ground.workspace }),
        { files: realFiles(), home },
      ),
    agentPolicies: Object.fromEntries(policies),
    hash: set.hash,
    // Shared by what is read later: a decision that is on its way counts there too.
    get counts() {
      return tally.counts;
    },
    set counts(counts) {
      tally.counts = counts;
    },
  };
  grounds.set(built, ground);
  return built;
}

function talks(step: Step, skills: Pins['skills']): boolean {
  return step.type === 'skill' && skills[step.skill]?.type === 'conversation';
}

function agentOf(step: Step): string | null {
  return step.type === 'agent' ? step.agent : null;
}

/** What a program may be trusted with whose calls nobody sees. */
function trustedTools(
  set: PolicySet,
  at: { readonly workflow: string; readonly workspace: string; readonly home: string; readonly step: Step },
): string[] {
  const { home, step } = at;
  const place = placeOf(step, at);
  return Object.keys(CANONICAL_TOOLS).filter((tool) =>
    isAllowedWhatever(set, { ...place, tool }, { files: realFiles(), home }),
  );
}

/** Where the calls of a step are made. */
function placeOf(
  step: Step,
  { workflow, workspace }: { readonly workflow: string; readonly workspace: string },
): Omit<GuardedCall, 'kind' | 'tool' | 'args'> {
  return { workspace, cwd: workspace, workflow, agent: agentOf(step), step: step.id, environment: null };
}

function agentPolicies(step: Step, set: PolicySet): Omit<AgentPolicies, 'trusted'> {
  const own = step.type === 'agent' ? readGuardrails(step).limits : CONVERSATION_LIMITS;
  const { limits, stuck, redact, outputSchemas } = settingsOf(set);
  return {
    limits: {
      maxIterations: least(own.maxIterations, limits.iterations) ?? own.maxIterations,
      maxToolCalls: least(own.maxToolCalls, limits.tool_calls),
      maxTokens: least(own.maxTokens, limits.tokens),
      maxCostUsd: least(own.maxCostUsd, limits.cost_usd),
      maxExecutionMs: least(own.maxExecutionMs, limits.wall_s === null ? null : limits.wall_s * 1000),
      maxOutputBytes: least(own.maxOutputBytes, limits.output_bytes),
    },
    stuck,
    redact,
    outputSchemas: step.type === 'agent' ? outputSchemas : [],
  };
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function narrow(set: PolicySet, step: Step | null, agent: Agent | null): PolicySet {
  if (step?.type !== 'agent') return set;
  const { allowedTools, deniedTools } = readGuardrails(step);
  return withPolicies(set, [
    ...(agent === null || agent.tools.includes('*')
      ? []
      : [narrowingPolicy('agent', agent.name, { allowedTools: agent.tools.flatMap(patternsOf) })]),
    narrowingPolicy('step', step.id, {
      ...(allowedTools === null ? {} : { allowedTools: allowedTools.flatMap(patternsOf) }),
      deniedTools,
    }),
  ]);
}

/** Names of agent files as policies know them. */
function patternsOf(tool: string): string[] {
  if (tool === '@builtin') return Object.keys(CANONICAL_TOOLS);
  return tool.startsWith('@') && !tool.includes('/') ? [`${tool}/*`] : [tool, ...familyOf(tool)];
}
