import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../agents/agent.ts';
import type { AgentPolicies } from '../agents/agent-policies.ts';
import { CONVERSATION_LIMITS, readGuardrails } from '../agents/guardrails.ts';
import { familyOf } from '../agents/tool-choice.ts';
import { allSteps } from '../definition/references.ts';
import type { Step, Workflow } from '../definition/workflow.ts';
import { isAllowedWhatever } from '../guard/policy/blanket.ts';
import { realFiles } from '../guard/policy/file-facts.ts';
import { loadPolicySet } from '../guard/policy/load-set.ts';
import { narrowingPolicy } from '../guard/policy/narrowing.ts';
import { type PolicySet, withPolicies } from '../guard/policy/policy-set.ts';
import { settingsOf } from '../guard/policy/settings.ts';
import {
  type Allowed,
  countAllowed,
  countEvent,
  NOTHING_COUNTED,
  type RunCounts,
} from '../guard/run-counts.ts';
import { CANONICAL_TOOLS } from '../guard/tools.ts';
import type { AuditPage } from '../store/audit-reader.ts';
import type { Store } from '../store/store.ts';
import type { SupervisorContext } from './context.ts';
import type { LiveInstance } from './live-instance.ts';
import { type Pins, readPins } from './pins.ts';

/** The policies of one run: read once for each of its processes, narrowed by what its agents and steps say. */
export interface RunPolicies {
  /** For a step, and the agent that asks in it. */
  of(path: string, agentName: string | null): PolicySet;
  readonly home: string;
  readonly workflow: Workflow;
  /** Of each step that talks to a model, by id: guardrails and policies together. */
  readonly agentPolicies: Readonly<Record<string, AgentPolicies>>;
  /** What the run has used so far; what is committed is added. */
  counts: RunCounts;
}

const known = new WeakMap<
  LiveInstance,
  { readonly incarnation: number; readonly policies: Promise<RunPolicies> }
>();

/** Rejects when the pins of the run cannot be read; a policy file that cannot be used denies by itself. */
export function policiesOf(context: SupervisorContext, live: LiveInstance): Promise<RunPolicies> {
  const found = known.get(live);
  if (found !== undefined && found.incarnation === live.incarnation) return found.policies;
  const policies = load(context, live);
  known.set(live, { incarnation: live.incarnation, policies });
  // What failed once is tried again with the next question.
  policies.catch(() => known.delete(live));
  return policies;
}

async function load({ home: state, store }: SupervisorContext, { row }: LiveInstance): Promise<RunPolicies> {
  const home = row.env['HOME'] ?? homedir();
  const configHome = process.env['XDG_CONFIG_HOME'] || join(home, '.config');
  const { workspace } = row;
  const { set } = await loadPolicySet({ workspace, configHome, state: state.folder });
  const { workflow, agents, skills } = await readPins(store, row);
  const narrowed = new Map<string, PolicySet>();
  const of: RunPolicies['of'] = (path, agentName) => {
    const key = `${idOf(path)} ${agentName ?? ''}`;
    const found = narrowed.get(key) ?? narrow(set, workflow, path, agents[agentName ?? ''] ?? null);
    narrowed.set(key, found);
    return found;
  };
  const talking = allSteps(workflow).filter((step) => step.type === 'agent' || talks(step, skills));
  const policies = talking.map((step) => {
    const stepSet = of(step.id, agentOf(step));
    const isHeadless = step.type === 'agent' && agents[step.agent]?.driver?.name === 'headless';
    const trusted = isHeadless
      ? trustedTools(stepSet, { workflow: row.workflow, workspace, home, step })
      : [];
    return [step.id, { ...agentPolicies(step, stepSet), trusted }] as const;
  });
  const counts = await readCounts(store, row.id);
  return { home, workflow, of, agentPolicies: Object.fromEntries(policies), counts };
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
  const { workflow, workspace, home, step } = at;
  const place = {
    workspace,
    cwd: workspace,
    workflow,
    agent: agentOf(step),
    step: step.id,
    environment: null,
  };
  return Object.keys(CANONICAL_TOOLS).filter((tool) =>
    isAllowedWhatever(set, { ...place, tool }, { files: realFiles(), home }),
  );
}

function agentPolicies(step: Step, set: PolicySet): Omit<AgentPolicies, 'trusted'> {
  const own = step.type === 'agent' ? readGuardrails(step).limits : CONVERSATION_LIMITS;
  const { limits, stuck, redact, outputSchemas } = settingsOf(set, null);
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

/** What was used, from the audit records of the run: no crash or restart gives any of it back. */
async function readCounts(store: Store, instance: string): Promise<RunCounts> {
  let counts = NOTHING_COUNTED;
  const query = { order: 'oldest', limit: 500, since: null, until: null, type: null, instance } as const;
  for (let from: number | null = 0; from !== null; ) {
    const page: AuditPage = await store.call('audit.read', { ...query, from });
    for (const { body } of page.rows) {
      const { type, at, data } = JSON.parse(body) as {
        type: string;
        at: number;
        data: Record<string, unknown>;
      };
      counts = countEvent(counts, { ...data, type });
      const allowed = type === 'permit.decided' ? allowedIn(data, at) : null;
      if (allowed !== null) counts = countAllowed(counts, allowed);
    }
    from = page.next;
  }
  return counts;
}

/** What a record of a decision allowed; null when nothing that counts. */
function allowedIn({ kind, decision, tool, rated }: Record<string, unknown>, at: number): Allowed | null {
  if (decision !== 'allow') return null;
  if (kind === 'model') return { kind };
  const rules = Array.isArray(rated) ? rated.map(String) : [];
  return kind === 'tool' ? { kind, tool: String(tool), rated: rules, at } : null;
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function narrow(set: PolicySet, workflow: Workflow, path: string, agent: Agent | null): PolicySet {
  const step = allSteps(workflow).find(({ id }) => id === idOf(path));
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

/** `loop[2]/group~2/a!handler` is the step `handler`. */
export function idOf(path: string): string {
  const last = path.split(/[/!]/).at(-1) ?? path;
  return last.replace(/(?:\[\d+\]|~\d+)+$/, '');
}
