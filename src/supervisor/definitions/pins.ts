import type { Agent } from '../../agents/files/agent.ts';
import type { ModelSpec } from '../../agents/model/model-spec.ts';
import { hashJson } from '../../audit/canonical.ts';
import { allSteps } from '../../definition/references.ts';
import type { Workflow } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { policySet } from '../../guard/policy/files/policy-set.ts';
import { decideTiers, type StepTier } from '../../guard/tiers.ts';
import type { Skill } from '../../skills/skill.ts';
import type { Store } from '../../store/store.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';

/** What an instance runs, whatever happens on disk afterwards: the loaded definition and every skill it names. */
export interface Pins {
  readonly workflow: Workflow;
  readonly skills: Readonly<Record<string, Skill>>;
  readonly agents: Readonly<Record<string, Agent>>;
  /** By subject, `agent:NAME` or `skill:NAME`; without keys. */
  readonly models: Readonly<Record<string, ModelSpec>>;
  /** Files that the skills' command lines name, path → SHA-256. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Tier and mode of each leaf step by id, as decided when the run began. */
  readonly tiers: Readonly<Record<string, StepTier>>;
}

/** The pins as a document of the store, with the hash it is kept under. */
export function packPins(pins: Pins): { hash: string; body: string } {
  return { hash: hashJson(pins), body: JSON.stringify(pins) };
}

/** Reads a document that `packPins` made. */
export function parsePins(body: string): Pins {
  const pins = JSON.parse(body) as Pick<Pins, 'workflow' | 'skills' | 'scripts'> & Partial<Pins>;
  // Runs that began before there were tiers get those of their definition; before there were agents, they had none.
  return {
    agents: {},
    models: {},
    ...pins,
    tiers: pins.tiers ?? decideTiers(pins.workflow, pins.workflow.name, policySet([], [])),
  };
}

/** The pins of an instance. Throws INTERNAL when they are gone. */
export async function readPins(store: Store, row: InstanceRow): Promise<Pins> {
  const body = await store.call('document.get', { hash: row.pinsHash });
  if (body === null) throw new WorkflowError('INTERNAL', `the pinned definition of ${row.id} is missing`);
  return parsePins(body);
}

/** The names of the agents that its steps have. */
export function agentsOf({ workflow }: Pins): string[] {
  return [...new Set(allSteps(workflow).flatMap((step) => (step.type === 'agent' ? [step.agent] : [])))];
}
