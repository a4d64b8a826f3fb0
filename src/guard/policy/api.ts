/** What commands need of the policies, behind one lazy import. */
export { isCaseFile, parseCall, parseCases } from './case-file.ts';
export { explain, runCase } from './explain.ts';
export { defaultPolicy, findPolicies, policyPlaces, readPolicies } from './find-policies.ts';
export { parseHookEvent } from './hook-event.ts';
export { loadNamedPolicies, loadPolicySet } from './load-set.ts';
export { toolNames } from './match-tool.ts';
