import { ioLimitProblem } from '../../../sandbox/describe.ts';
import { missingLayers } from '../../../sandbox/launcher/ground.ts';
import { missingLayersMessage } from '../../../sandbox/layers.ts';
import { neededVariables, resolveKeys } from '../../agents/model/keys.ts';
import type { ModelSpec } from '../../agents/model/model-spec.ts';
import type { Workflow } from '../../definition/workflow.ts';
import { type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import { decideTiers, type StepTier } from '../../guard/tiers.ts';
import type { RunRequest } from '../../protocol/control.ts';
import type { Home } from '../../protocol/home.ts';
import type { InstanceLimits } from '../../store/tables/instance-rows.ts';
import type { Documents } from '../../store/tables/registration-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { policiesIn } from '../guard/run-policies.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { agentVariables } from './model-keys.ts';
import { pinAgents, pinModels, useSkills } from './pin-agents.ts';
import { pinSkills, usableSkills } from './pin-skills.ts';
import { type Pins, packPins } from './pins.ts';
import { pinScripts } from './script-pins.ts';
import type { WorkflowSource } from './workflow-folders.ts';
import { type LoadedSource, loadSource } from './workflow-source.ts';

/** Below this a Node process hangs at its start or aborts later, saying nothing (measured: 12 tasks, pool included). */
const MIN_PROCESSES = 32;

/** Who a run belongs to, and what it may be given. */
export type RunSettings = Pick<RunRequest, 'caller' | 'env' | 'modelEnv' | 'priority'>;

/** A definition that may run here, with all that is pinned for it. */
export interface PreparedRun {
  readonly workflow: Workflow;
  readonly definitionHash: string;
  readonly pinsHash: string;
  readonly documents: Documents;
  readonly limits: InstanceLimits;
  readonly tiers: Readonly<Record<string, StepTier>>;
  readonly policyHash: string;
  /** Variables to keep for its process alone. */
  readonly keys: Readonly<Record<string, string>>;
  /** One line for the person who runs it, about limits and sandbox; null when nothing is missing. */
  readonly notice: string | null;
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
}

/** Loads, checks and pins a definition, and refuses what cannot run here. Keeps nothing. */
export async function prepareRun(
  context: SupervisorContext,
  fleet: Pick<Fleet, 'ledger'>,
  source: WorkflowSource,
  request: RunSettings,
): Promise<PreparedRun> {
  const loaded = await loadSource(source);
  const { workflow, problems, hash, text } = loaded;
  const { skills, agents, models, notes } = pinAll(loaded, request);
  const limits = {
    memoryBytes: workflow.limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: workflow.limits.maxCpuPercent,
    processes: Math.max(MIN_PROCESSES, workflow.limits.maxProcesses),
    executionMs: workflow.limits.maxExecutionTimeMs,
    concurrentSteps: workflow.limits.maxConcurrentSteps,
    diskBytes: workflow.limits.maxDiskMb === null ? null : workflow.limits.maxDiskMb * 1024 * 1024,
    ioBytesPerSecond: workflow.limits.maxIoMbPerS === null ? null : workflow.limits.maxIoMbPerS * 1024 * 1024,
    priority: request.priority ?? workflow.limits.priority,
  };
  const refusal = fleet.ledger.refuses(limits.memoryBytes);
  if (refusal !== null)
    throw new WorkflowError('CAPACITY', `the workflow ${workflow.name} cannot run here: ${refusal}`);
  refuseUnenforced(context, workflow);
  const { workspace } = request.caller;
  const set = await policiesIn(context.home, workspace, request.env);
  const tiers = decideTiers(workflow, source.file, set);
  const notice = noticeOf(context, workflow, await lackingLayers(context, workflow, tiers, workspace));
  const pins = packPins({
    workflow,
    skills,
    agents,
    models,
    scripts: pinScripts(Object.values(skills), workspace),
    tiers,
  });
  const { modelEnv = {} } = request;
  return {
    workflow,
    definitionHash: hash,
    pinsHash: pins.hash,
    documents: { [hash]: text, [pins.hash]: pins.body },
    limits,
    tiers,
    policyHash: set.hash,
    keys: {
      ...checkedKeys(Object.values(models), modelEnv, context.home),
      ...agentVariables(agents, modelEnv),
    },
    notice,
    notes,
    problems,
  };
}

/** Skills, agents and models that the workflow names. */
function pinAll(
  { workflow, places }: LoadedSource,
  { caller, modelEnv = {} }: RunSettings,
): Pick<Pins, 'skills' | 'agents' | 'models'> & { notes: string[] } {
  const named = pinSkills(workflow, caller, places);
  const { agents, notes } = pinAgents(workflow, caller, places);
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
  const problem = workflow.limits.maxIoMbPerS === null ? null : ioLimitProblem(report);
  if (problem !== null)
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `the workflow ${workflow.name} requires enforced limits, and max_io_mb_per_s would not be held here: ${problem}`,
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
function noticeOf(context: SupervisorContext, workflow: Workflow, lacking: string | null): string | null {
  const { report } = context.isolation;
  const problem = workflow.limits.maxIoMbPerS === null ? null : ioLimitProblem(report);
  const lines = [
    // Why there is no cgroup is a long story, the same for every run.
    ...(report.backend === 'polling'
      ? [...report.missing.slice(-1), 'q workflow doctor says why.']
      : report.missing),
    ...(problem === null ? [] : [`max_io_mb_per_s is not held: ${problem}.`]),
    ...(lacking === null ? [] : [lacking]),
  ];
  return lines.length === 0 ? null : lines.join(' ');
}
