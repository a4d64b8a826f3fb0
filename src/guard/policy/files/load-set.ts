import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../../../errors/workflow-error.ts';
import { locateHome } from '../../../protocol/home.ts';
import type { LoadedFile } from '../load-policy.ts';
import { type GuardPlaces, guardRules } from '../rules/guard-rules.ts';
import { defaultPolicy, findPolicies, policyPlaces, readPolicies } from './find-policies.ts';
import { type PolicySet, policySet } from './policy-set.ts';

export interface LoadedSet {
  readonly set: PolicySet;
  /** Every file, also those that cannot be used. */
  readonly files: readonly LoadedFile[];
}

export interface SetPlaces {
  readonly workspace: string;
  readonly configHome: string;
  /** The state folder of the supervisor; default: that of this process. */
  readonly state?: string;
  /** Whose files count; null and missing: `default`. */
  readonly environment?: string | null | undefined;
}

/** The policies that hold in a workspace, from all layers of files. */
export async function loadPolicySet(places: SetPlaces): Promise<LoadedSet> {
  const files = await findPolicies(policyPlaces(places.workspace, places.configHome));
  return await setOf(files, places);
}

/** The same from files that somebody named, in place of those of the folders. */
export async function loadNamedPolicies(named: readonly string[], places: SetPlaces): Promise<LoadedSet> {
  return await setOf(await readPolicies(named), places);
}

async function setOf(files: readonly LoadedFile[], places: SetPlaces): Promise<LoadedSet> {
  const fallback = await defaultPolicy();
  const policies = files.map(({ policy }) => policy);
  const guard = guardRules(guardPlaces(places));
  const environment = places.environment || undefined;
  return { files, set: policySet(policies, guard, fallback.policy, environment) };
}

function guardPlaces({ configHome, state = locateHome().folder }: SetPlaces): GuardPlaces {
  const config = join(configHome, 'q-workflow');
  const standard = join(homedir(), '.local', 'state', 'q-workflow');
  return {
    state: [...new Set([state, real(state), standard])],
    config: [...new Set([config, real(config)])],
  };
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return folder;
  }
}
