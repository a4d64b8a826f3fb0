import { hashJson } from '../audit/canonical.ts';
import type { Permit, PermitRequest } from '../protocol/instance-link.ts';

/**
 * Decides whether an effect may happen. It is asked for every spawn, before it, and its answer is committed with the
 * intent. There are no policies yet: it answers allow, with the hash of the empty policy set, so that the records
 * have their place and form when policies come.
 */
export function decidePermit(_request: PermitRequest, inputsHash: string): Permit {
  return {
    decision: 'allow',
    rules: [],
    policyHash: EMPTY_POLICY_HASH,
    inputsHash,
    epoch: 0,
    reason: 'no policy is loaded',
  };
}

const EMPTY_POLICY_HASH = hashJson([]);
