import { randomBytes } from 'node:crypto';
import type { AuditActor } from '../../audit/record.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { RunRequest } from '../../protocol/control.ts';
import type { NewFire } from '../../store/tables/schedule-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import type { LiveInstance } from '../lifecycle/live-instance.ts';
import { keepKeys } from './model-keys.ts';
import { prepareRun } from './prepare-run.ts';
import { resolveRunValues } from './run-inputs.ts';
import type { WorkflowSource } from './workflow-folders.ts';
import { findWorkflow } from './workflow-source.ts';

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
  const prepared = await prepareRun(context, fleet, source, request);
  const { workflow, definitionHash, pinsHash, documents, limits, notice, notes, problems } = prepared;
  const shownBy = source.kind === 'file' && source.text === null ? source.file : workflow.name;
  const values = resolveRunValues(workflow, request.inputs, request.context, shownBy);
  const id = newId();
  keepKeys(context.home, id, prepared.keys);
  const { actor } = origin;
  const fire = origin.fire?.(id) ?? null;
  const live = await fleet.create({
    instance: {
      id,
      workflow: workflow.name,
      version: workflow.version,
      definitionHash,
      pinsHash,
      source: source.file,
      workspace: request.caller.workspace,
      ...values,
      env: request.env,
      limits,
      notice,
      approvals: request.approvals ?? 'named',
    },
    documents,
    fire,
    audit: {
      type: 'instance.created',
      at: context.now(),
      actor,
      instance: id,
      data: {
        workflow: workflow.name,
        version: workflow.version,
        definition: definitionHash,
        pins: pinsHash,
        source: source.file,
        tiers: prepared.tiers,
        policy_hash: prepared.policyHash,
        ...(fire === null ? {} : { fire: new Date(fire.row.at).toISOString() }),
        ...(notice === null ? {} : { notice }),
      },
    },
  });
  return { live, notices: [...(notice === null ? [] : [notice]), ...notes], problems };
}

export function personOf(caller: Caller): AuditActor {
  return {
    kind: 'person',
    id: caller.person,
    uid: process.getuid?.() ?? null,
    ...(caller.via === undefined ? {} : { via: caller.via }),
  };
}

/** Ten characters of 32: no look-alikes, 50 bits. */
function newId(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(randomBytes(10), (byte) => alphabet[byte & 31]).join('');
}
