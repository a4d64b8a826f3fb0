/** What commands need of the policies, behind one lazy import. */

export { parseHookEvent } from './calls/hook-event.ts';
export { explain, runCase } from './explain.ts';
export { isCaseFile, parseCall, parseCases } from './files/case-file.ts';
export { defaultPolicy, findPolicies, policyPlaces, readPolicies } from './files/find-policies.ts';
export { loadNamedPolicies, loadPolicySet } from './files/load-set.ts';
export { toolNames } from './rules/match-tool.ts';
