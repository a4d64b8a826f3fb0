/** Policies and calls for tests of the guard. */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../src/definition/workflow.ts';
import type { GuardedCall } from '../../src/guard/policy/calls/call.ts';
import { decide, type Verdict } from '../../src/guard/policy/decide.ts';
import { NO_FILES, realFiles } from '../../src/guard/policy/files/file-facts.ts';
import type { PolicyFile } from '../../src/guard/policy/files/policy-file.ts';
import { type PolicySet, policySet } from '../../src/guard/policy/files/policy-set.ts';
import { type LoadedFile, loadPolicy } from '../../src/guard/policy/load-policy.ts';
import { guardRules } from '../../src/guard/policy/rules/guard-rules.ts';

export const GUARD = guardRules({ state: ['/home/me/state'], config: ['/home/me/.config/q-workflow'] });
export const HOME = '/home/me';
/** No folder of this machine: nothing is there. */
export const WORKSPACE = '/home/me/project';

export function loadText(text: string, name = 'file'): Promise<LoadedFile> {
  return loadPolicy({ text, file: null, name, layer: null, faults: [] });
}

/** A set of these files; each must be right. */
export async function setOf(...files: readonly PolicyFile[]): Promise<PolicySet> {
  const loaded = await Promise.all(
    files.map((file, index) => loadText(JSON.stringify(file), `file-${index + 1}`)),
  );
  for (const { policy } of loaded) assert.equal(policy.fault, null);
  return policySet(
    loaded.map(({ policy }) => policy),
    GUARD,
  );
}

export function callOf(tool: string, args: JsonObject, more: Partial<GuardedCall> = {}): GuardedCall {
  const place = { workspace: WORKSPACE, cwd: WORKSPACE };
  const from = { workflow: null, agent: null, step: null, environment: null };
  return { kind: 'tool', tool, args, ...place, ...from, ...more };
}

export const bash = (command: string): GuardedCall => callOf('execute_bash', { command });

/** Decides where no file exists. */
export function verdictOf(set: PolicySet, call: GuardedCall): Verdict {
  return decide(set, call, { files: NO_FILES, home: HOME });
}

/** Decides in a folder of this machine. */
export function verdictIn(folder: string, set: PolicySet, tool: string, args: JsonObject): Verdict {
  const call = callOf(tool, args, { workspace: folder, cwd: folder });
  return decide(set, call, { files: realFiles(), home: HOME });
}
