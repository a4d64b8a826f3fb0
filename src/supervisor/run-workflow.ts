import { randomBytes } from 'node:crypto';
import { missingLayers } from '../../sandbox/launcher/ground.ts';
import { missingLayersMessage } from '../../sandbox/layers.ts';
import { neededVariables, resolveKeys } from '../agents/keys.ts';
import type { ModelSpec } from '../agents/model-spec.ts';
import type { AuditActor } from '../audit/record.ts';
import type { Workflow } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import { decideTiers, type StepTier } from '../guard/tiers.ts';
import type { Caller, RunRequest } from '../protocol/control.ts';
import type { Home } from '../protocol/home.ts';
import type { NewFire } from '../store/schedule-rows.ts';
import type { SupervisorContext } from './context.ts';
import type { Fleet } from './fleet.ts';
import type { LiveInstance } from './live-instance.ts';
import { agentVariables, keepKeys } from './model-keys.ts';
import { pinAgents, pinModels, useSkills } from './pin-agents.ts';
import { pinSkills, usableSkills } from './pin-skills.ts';
import { type Pins, packPins } from './pins.ts';
import { resolveRunValues } from './run-inputs.ts';
import { policiesIn } from './run-policies.ts';
import { pinScripts } from './script-pins.ts';
import type { WorkflowSource } from './workflow-folders.ts';
import { findWorkflow, loadSource } from './workflow-source.ts';

/** Below this a Node process hangs at its start or aborts later, saying nothing (measured: 12 tasks, pool included). */
const MIN_PROCESSES = 32;

export interface Started {
  readonly live: LiveInstance;
  readonly notices: string[];
  readonly problems: readonly Problem[];
}

/** Who wants a run, and the fire of a schedule that is decided by it. */
export interface Origin {
  readonly actor: AuditActor;
  readonly fire: ((instance: string) => NewFire) | null;
}

/** Finds, checks, pins and queues a workflow. Nothing is kept when it throws. */
export async function runWorkflow(
  context: SupervisorContext,
  fleet: Fleet,
  request: RunRequest,
): Promise<Started> {
  const { target, definition, caller } = request;
  const source: WorkflowSource =
    definition === undefined
      ? await findWorkflow(context.store, target, caller)
      : { kind: 'file', file: target, text: definition };
  return startWorkflow(context, fleet, source, request, { actor: personOf(caller), fire: null });
}

/** The same for one that was found. With a fire, its decision is in the same transaction: FIRE_DECIDED starts nothing. */
export async function startWorkflow(
  context: SupervisorContext,
  fleet: Fleet,
  source: WorkflowSource,
  request: Omit<RunRequest, 'target'>,
  origin: Origin,
): Promise<Started> {
  const { workflow, problems, hash, text } = await loadSource(source);
  const values = resolveRunValues(workflow, request.inputs, request.context);
  const { skills, agents, models, notes } = pinAll(workflow, request);
  const limits = {
    memoryBytes: workflow.limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: workflow.limits.maxCpuPercent,
    processes: Math.max(MIN_PROCESSES, workflow.limits.maxProcesses),
    executionMs: workflow.limits.maxExecutionTimeMs,
    concurrentSteps: workflow.limits.maxConcurrentSteps,
    diskBytes: workflow.limits.maxDiskMb === null ? null : workflow.limits.maxDiskMb * 1024 * 1024,
    priority: request.priority ?? workflow.limits.priority,
  };
  const refusal = fleet.ledger.refuses(limits.memoryBytes);
  if (refusal !== null)
    throw new WorkflowError('CAPACITY', `the workflow ${workflow.name} cannot run here: ${refusal}`);
  refuseUnenforced(context, workflow);
  const { workspace } = request.caller;
  const set = await policiesIn(context.home, workspace, request.env);
  const tiers = decideTiers(workflow, source.file, set);
  const notice = noticeOf(context, await lackingLayers(context, workflow, tiers, workspace));
  const pins = packPins({
    workflow,
    skills,
    agents,
    models,
    scripts: pinScripts(Object.values(skills), workspace),
    tiers,
  });
  const id = newId();
  const { modelEnv = {} } = request;
  keepKeys(context.home, id, {
    ...checkedKeys(Object.values(models), modelEnv, context.home),
    ...agentVariables(agents, modelEnv),
  });
  const { actor } = origin;
  const fire = origin.fire?.(id) ?? null;
  const live = await fleet.create({
    instance: {
      id,
      workflow: workflow.name,
      version: workflow.version,
      definitionHash: hash,
      pinsHash: pins.hash,
      source: source.file,
      workspace,
      ...values,
      env: request.env,
      limits,
      notice,
      approvals: request.approvals ?? 'named',
    },
    documents: { [hash]: text, [pins.hash]: pins.body },
    fire,
    audit: {
      type: 'instance.created',
      at: context.now(),
      actor,
      instance: id,
      data: {
        workflow: workflow.name,
        version: workflow.version,
        definition: hash,
        pins: pins.hash,
        source: source.file,
        tiers,
        policy_hash: set.hash,
        ...(fire === null ? {} : { fire: new Date(fire.row.at).toISOString() }),
        ...(notice === null ? {} : { notice }),
      },
    },
  });
  return { live, notices: [...(notice === null ? [] : [notice]), ...notes], problems };
}

/** Skills, agents and models that the workflow names. */
function pinAll(
  workflow: Workflow,
  { caller, modelEnv = {} }: Omit<RunRequest, 'target'>,
): Pick<Pins, 'skills' | 'agents' | 'models'> & { notes: string[] } {
  const named = pinSkills(workflow, caller);
  const { agents, notes } = pinAgents(workflow, caller);
  const skills = useSkills(workflow, agents) ? { ...usableSkills(caller), ...named.skills } : named.skills;
  const { models, notes: modelNotes } = pinModels(workflow, skills, agents, caller, modelEnv);
  return { skills, agents, models, notes: [...named.notes, ...notes, ...modelNotes] };
}

/** The variables to keep. Throws MODEL_NOT_CONFIGURED when a model has not all of its credentials. */
export function checkedKeys(
  specs: readonly ModelSpec[],
  env: Readonly<Record<string, string>>,
  home: Home,
): Record<string, string> {
  for (const spec of specs) resolveKeys(spec, env, home.secretsFolder);
  return neededVariables(specs, env);
}

export function personOf(caller: Caller): AuditActor {
  return {
    kind: 'person',
    id: caller.person,
    uid: process.getuid?.() ?? null,
    ...(caller.via === undefined ? {} : { via: caller.via }),
  };
}

function refuseUnenforced(context: SupervisorContext, workflow: Workflow): void {
  const { report } = context.isolation;
  if (workflow.limits.enforcement === 'best_effort') return;
  const lacking = (['memory', 'cpu', 'processes'] as const).filter(
    (limit) => !report.enforced.includes(limit),
  );
  if (lacking.length > 0)
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `the workflow ${workflow.name} requires enforced limits, and ${lacking.join(', ')} would only be observed here (${report.backend})`,
    );
}

/**
 * What the steps' sandbox lacks here, in one line; null when nothing. Refuses a run of which a step requires what is
 * not there, before anything of it starts.
 */
async function lackingLayers(
  context: SupervisorContext,
  workflow: Workflow,
  tiers: Readonly<Record<string, StepTier>>,
  workspace: string,
): Promise<string | null> {
  const { ground, layers } = await context.sandboxes.offer(workspace);
  const lacking = Object.entries(tiers).flatMap(([id, { tier, mode }]) =>
    missingLayers(ground, tier).map((layer) => ({ id, tier, mode, layer })),
  );
  if (lacking.length === 0) return null;
  const line =
    ground.fault === null
      ? (missingLayersMessage(layers) ?? '')
      : `Steps run without a file system sandbox: ${ground.fault}; use a folder of its own as workspace.`;
  const [first] = lacking.filter(({ mode }) => mode === 'required');
  if (first === undefined) return line;
  throw new WorkflowError(
    'ISOLATION_MISSING',
    `the workflow ${workflow.name} requires the tier ${first.tier} for step "${first.id}", and ${first.layer} is missing here: ${line}`,
    { details: { step: first.id, missing: [...new Set(lacking.map(({ layer }) => layer))] } },
  );
}

/** One line for the person who runs it, about limits and sandbox; null when nothing is missing. */
function noticeOf(context: SupervisorContext, lacking: string | null): string | null {
  const lines = [...context.isolation.report.missing, ...(lacking === null ? [] : [lacking])];
  return lines.length === 0 ? null : lines.join(' ');
}

/** Ten characters of 32: no look-alikes, 50 bits. */
function newId(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(randomBytes(10), (byte) => alphabet[byte & 31]).join('');
}
