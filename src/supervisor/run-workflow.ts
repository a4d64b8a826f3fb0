import { randomBytes } from 'node:crypto';
import { bubblewrapNotice } from '../../sandbox/layers.ts';
import type { AuditActor } from '../audit/record.ts';
import type { Workflow } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller, RunRequest } from '../protocol/control.ts';
import type { SupervisorContext } from './context.ts';
import type { Fleet } from './fleet.ts';
import type { LiveInstance } from './live-instance.ts';
import { pinSkills } from './pin-skills.ts';
import { packPins } from './pins.ts';
import { resolveRunValues } from './run-inputs.ts';
import { pinScripts } from './script-pins.ts';
import { findWorkflow, loadSource } from './workflow-source.ts';

/** Below this a Node process hangs at its start or aborts later, saying nothing (measured: 12 tasks, pool included). */
const MIN_PROCESSES = 32;

export interface Started {
  readonly live: LiveInstance;
  readonly notices: string[];
  readonly problems: readonly Problem[];
}

/** Finds, checks, pins and queues a workflow. Nothing is kept when it throws. */
export async function runWorkflow(
  context: SupervisorContext,
  fleet: Fleet,
  request: RunRequest,
): Promise<Started> {
  const source = await findWorkflow(context.store, request.target, request.caller);
  const { workflow, problems, hash, text } = await loadSource(source);
  const values = resolveRunValues(workflow, request.inputs, request.context);
  const { skills, notes } = pinSkills(workflow, request.caller);
  const limits = {
    memoryBytes: workflow.limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: workflow.limits.maxCpuPercent,
    processes: Math.max(MIN_PROCESSES, workflow.limits.maxProcesses),
    executionMs: workflow.limits.maxExecutionTimeMs,
    concurrentSteps: workflow.limits.maxConcurrentSteps,
  };
  const refusal = fleet.ledger.refuses({ id: workflow.name, memoryBytes: limits.memoryBytes });
  if (refusal !== null)
    throw new WorkflowError('CAPACITY', `the workflow ${workflow.name} cannot run here: ${refusal}`);
  refuseUnenforced(context, workflow);
  const notice = await sandboxNotice(context, workflow);
  const pins = packPins({
    workflow,
    skills,
    scripts: pinScripts(Object.values(skills), request.caller.workspace),
  });
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
      data: {
        workflow: workflow.name,
        version: workflow.version,
        definition: hash,
        pins: pins.hash,
        source: source.file,
      },
    },
  );
  return { live, notices: [notice, ...notes], problems };
}

export function personOf(caller: Caller): AuditActor {
  return { kind: 'person', id: caller.person, uid: process.getuid?.() ?? null };
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

/** What this machine lacks for the sandbox that the workflow asks for: refused where required, else one line. */
async function sandboxNotice(context: SupervisorContext, workflow: Workflow): Promise<string> {
  const lines = [...context.isolation.report.missing];
  // Steps are not confined to a file system sandbox yet, whether or not bubblewrap is there: the line must say so.
  const layer =
    (await bubblewrapNotice()) ?? 'Steps run without a file system sandbox: tiers are not built in yet.';
  lines.push(layer);
  if (workflow.sandbox?.mode === 'required')
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `the workflow ${workflow.name} requires a sandbox: ${layer}`,
    );
  return lines.join(' ');
}

/** Ten characters of 32: no look-alikes, 50 bits. */
function newId(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(randomBytes(10), (byte) => alphabet[byte & 31]).join('');
}
