import { compareDefinitions } from '../../engine/redefine.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { ControlMethods } from '../../protocol/control.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import type { DefinitionChange } from '../../store/tables/version-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { readPins } from './pins.ts';
import { type PreparedRun, prepareRun } from './prepare-run.ts';
import type { WorkflowSource } from './workflow-folders.ts';
import { findWorkflow } from './workflow-source.ts';

export interface Redefined {
  readonly change: DefinitionChange;
  readonly keys: PreparedRun['keys'];
  /** For the audit: both hashes. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * What an ended instance would go on with: the definition, `new` or as `run` names one, with skills, agents, models and
 * limits as they are now. Inputs, context values and priority stay the run's own. Throws DEFINITION_MISMATCH with every
 * place that does not fit what it has done, or why it cannot run here. Changes nothing.
 */
export async function redefine(
  context: SupervisorContext,
  fleet: Fleet,
  row: InstanceRow,
  { caller, from, modelEnv = {} }: ControlMethods['instance.resume'][0],
  definition: string,
): Promise<Redefined> {
  const there = { ...caller, workspace: row.workspace };
  const source =
    definition === 'new'
      ? await newSource(context, row)
      : await findWorkflow(context.store, definition, there);
  const { priority } = row.limits;
  const prepared = await prepareRun(context, fleet, source, {
    caller: there,
    env: row.env,
    modelEnv,
    ...(priority === undefined ? {} : { priority }),
  });
  const { workflow: after, definitionHash, pinsHash, limits, notice, documents } = prepared;
  if (after.name !== row.workflow)
    throw new WorkflowError(
      'DEFINITION_MISMATCH',
      `the instance ${row.id} is a run of ${row.workflow}, and ${source.file} defines ${after.name}`,
    );
  const { workflow: before } = await readPins(context.store, row);
  const journal = await readJournal(context.store, row.id);
  const { inputs } = row;
  const events = journal.map(({ event }) => event);
  const found = compareDefinitions({ before, after, journal: events, inputs, context: row.context, from });
  if (found.length > 0)
    throw new WorkflowError(
      'DEFINITION_MISMATCH',
      `what instance ${row.id} has done does not fit ${after.name} ${after.version} (${definitionHash.slice(0, 8)})`,
      { problems: found.map(({ path, message }) => ({ severity: 'error', path, message })) },
    );
  const { version } = after;
  const lastSeq = journal.at(-1)?.seq ?? 0;
  return {
    change: { version, definitionHash, pinsHash, source: source.file, limits, notice, lastSeq, documents },
    keys: prepared.keys,
    data: {
      definition: { old: row.definitionHash, new: definitionHash },
      pins: { old: row.pinsHash, new: pinsHash },
      version: { old: row.version, new: version },
      tiers: prepared.tiers,
      policy_hash: prepared.policyHash,
    },
  };
}

/** What its name means now when it began with a registered version; else what is in its file. */
async function newSource({ store }: SupervisorContext, row: InstanceRow): Promise<WorkflowSource> {
  const versions = await store.call('version.list', { workflow: row.workflow });
  const isRegistered = versions.some(({ definitionHash }) => definitionHash === row.definitionHash);
  const current = versions.find(({ isCurrent }) => isCurrent);
  if (!isRegistered || current === undefined) return { kind: 'file', file: row.source, text: null };
  const text = await store.call('document.get', { hash: current.definitionHash });
  return { kind: 'registered', file: current.source, text };
}
