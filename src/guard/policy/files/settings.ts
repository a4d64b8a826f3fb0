import type { JsonObject } from '../../../definition/workflow.ts';
import { isObject } from '../../../protocol/is-object.ts';
import { combineLimits, type Limits } from '../../budget.ts';
import type { SecretKind } from '../../secret-kinds.ts';
import { type StuckLimits, stuckLimits } from '../../stuck.ts';
import { activePolicies, type PolicySet } from './policy-set.ts';

/** What policies say of a run besides who may call what, over all layers. */
export interface PolicySettings {
  readonly limits: Limits;
  readonly stuck: StuckLimits;
  /** Kinds of secrets to redact: those of all layers. */
  readonly redact: readonly SecretKind[];
  /** The result of an agent must fit each. */
  readonly outputSchemas: readonly JsonObject[];
}

export function settingsOf(set: PolicySet): PolicySettings {
  const contents = activePolicies(set, set.environment).map(({ content }) => content);
  return {
    limits: combineLimits(contents.map(({ limits }) => limits)),
    stuck: stuckLimits(contents.map(({ stuck }) => stuck)),
    redact: [...new Set(contents.flatMap(({ redact }) => redact ?? []))],
    outputSchemas: contents.flatMap(({ output_schema: schema }) => (isObject(schema) ? [schema] : [])),
  };
}
