import { randomBytes } from 'node:crypto';
import { bubblewrapNotice } from '../../sandbox/layers.ts';
import type { AuditActor } from '../audit/record.ts';
import type { Step, Workflow } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller, RunRequest } from '../protocol/control.ts';
import { findSkills } from '../skills/find.ts';
import type { Skill } from '../skills/skill.ts';
import type { SupervisorContext } from './context.ts';
import type { Fleet } from './fleet.ts';
import type { LiveInstance } from './live-instance.ts';
import { packPins } from './pins.ts';
import { resolveRunValues } from './run-inputs.ts';
import { findWorkflow, loadSource } from './workflow-source.ts';

export interface Started {
  readonly live: LiveInstance;
  readonly notices: string[];
  readonly problems: readonly Problem[];
}

/** Finds, checks, pins and queues a workflow. Nothing is kept when it throws. */
export async function runWorkflow(context: SupervisorContext, fleet: Fleet, request: RunRequest): Promise<Started> {
  const source = await findWorkflow(context.store, request.target, request.caller);
  const { workflow, problems, hash, text } = await loadSource(source);
  const values = resolveRunValues(workflow, request.inputs, request.context);
  const { skills, notes } = pinSkills(workflow, request.caller);
  const limits = {
    memoryBytes: workflow.limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: workflow.limits.maxCpuPercent,
    processes: workflow.limits.maxProcesses,
    executionMs: workflow.limits.maxExecutionTimeMs,
    concurrentSteps: workflow.limits.maxConcurrentSteps,
  };
  const refusal = fleet.ledger.refuses({ id: workflow.name, memoryBytes: limits.memoryBytes });
  if (refusal !== null) throw new WorkflowError('CAPACITY', `the workflow ${workflow.name} cannot run here: ${refusal}`);
  refuseUnenforced(context, workflow);
  const notice = await sandboxNotice(context, workflow);
  const pins = packPins({ workflow, skills });
  const id = newId();
  const actor = personOf(request.caller);
  const live = await fleet.create(
    {
      id,
      workflow: workflow.name,
      version: workflow.version,
      definitionHash: hash,
      pinsHash: pins.hash,
      source: source.file,
      workspace: request.caller.workspace,
      ...values,
      env: request.env,
      limits,
      notice,
    },
    { [hash]: text, [pins.hash]: pins.body },
    {
      type: 'instance.created',
      at: context.now(),
      actor,
      instance: id,
      data: { workflow: workflow.name, version: workflow.version, definition: hash, pins: pins.hash, source: source.file },
    },
  );
  return { live, notices: [...(notice === null ? [] : [notice]), ...notes], problems };
}

/** The skills that a workflow names, found from a workspace. Throws SKILL_NOT_FOUND or SKILL_INVALID. */
export function pinSkills(workflow: Workflow, caller: Caller): { skills: Record<string, Skill>; notes: string[] } {
  const catalogue = findSkills({
    workspace: caller.workspace,
    home: caller.userHome,
    configDir: caller.configHome,
  });
  const skills: Record<string, Skill> = {};
  const problems: Problem[] = [];
  for (const [name, stepId] of skillNames(workflow)) {
    const skill = catalogue.get(name);
    if (skill !== null) {
      skills[name] = skill;
      continue;
    }
    const nearest = catalogue.nearest(name);
    const broken = catalogue.notes.find((note) => note.severity === 'error' && note.file.includes(name));
    problems.push({
      severity: 'error',
      path: `step ${stepId}`,
      message: broken === undefined ? `no skill is called "${name}"` : `the skill "${name}" cannot be used: ${broken.message}`,
      ...(nearest === null ? {} : { suggestion: nearest }),
    });
  }
  if (problems.length > 0)
    throw new WorkflowError('SKILL_NOT_FOUND', `the workflow ${workflow.name} names skills that are not there`, { problems });
  const files = new Set(Object.values(skills).map((skill) => skill.file));
  const notes = catalogue.notes
    .filter((note) => note.severity !== 'error' && files.has(note.file))
    .map((note) => `skill file ${note.file} ${note.path}: ${note.message}`);
  return { skills, notes };
}

/** Skill name → id of the first step that names it, over steps, handlers, undo and rollback steps. */
export function skillNames(workflow: Workflow): Map<string, string> {
  const names = new Map<string, string>();
  const pending: Step[] = [...workflow.steps, ...workflow.handlers];
  const policies = [workflow.errorHandling.default, ...Object.values(workflow.errorHandling.perStep)];
  for (const policy of policies) if (policy.handler !== null) pending.push(policy.handler.step);
  for (const handler of workflow.errorHandling.rollback.steps) pending.push(handler.step);
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step.undo !== null) pending.push(step.undo.step);
    switch (step.type) {
      case 'skill':
        if (!names.has(step.skill)) names.set(step.skill, step.id);
        break;
      case 'agent':
        break;
      case 'parallel':
      case 'loop':
        pending.push(...step.steps);
        break;
      case 'conditional':
        pending.push(...step.then, ...step.else);
        break;
    }
  }
  return names;
}

export function personOf(caller: Caller): AuditActor {
  return { kind: 'person', id: caller.person, uid: process.getuid?.() ?? null };
}

function refuseUnenforced(context: SupervisorContext, workflow: Workflow): void {
  const { report } = context.isolation;
  if (workflow.limits.enforcement === 'best_effort') return;
  const lacking = (['memory', 'cpu', 'processes'] as const).filter((limit) => !report.enforced.includes(limit));
  if (lacking.length > 0)
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `the workflow ${workflow.name} requires enforced limits, and ${lacking.join(', ')} would only be observed here (${report.backend})`,
    );
}

/** What this machine lacks for the sandbox that the workflow asks for: refused where required, else one line. */
async function sandboxNotice(context: SupervisorContext, workflow: Workflow): Promise<string | null> {
  const lines = [...context.isolation.report.missing];
  const layer = await bubblewrapNotice();
  if (layer !== null) lines.push(layer);
  if (workflow.sandbox?.mode === 'required' && layer !== null)
    throw new WorkflowError('ISOLATION_MISSING', `the workflow ${workflow.name} requires a sandbox: ${layer}`);
  return lines.length === 0 ? null : lines.join('; ');
}

/** Ten characters of 32: no look-alikes, 50 bits. */
function newId(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(randomBytes(10), (byte) => alphabet[byte & 31]).join('');
}
