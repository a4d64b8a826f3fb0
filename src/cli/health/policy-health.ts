import { join } from 'node:path';
import { DEFAULT_ENVIRONMENT } from '../../guard/policy/calls/call.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { SupervisorStatus } from '../../protocol/control.ts';
import { ENVIRONMENT_VARIABLE } from '../../protocol/service.ts';
import type { HealthRow } from './health-row.ts';

/** The policy files that hold here, read as a run that starts now would read them. */
export async function policyRow(caller: Caller): Promise<HealthRow> {
  const { loadPolicySet } = await import('../../guard/policy/files/load-set.ts');
  const { files } = await loadPolicySet(caller);
  const faults = files.flatMap(({ policy: { file, layer, fault } }) =>
    fault === null ? [] : [`${file} cannot be used: the layer ${layer} denies everything. ${fault}`],
  );
  if (faults.length > 0)
    return {
      name: 'policies',
      state: 'broken',
      detail: faults.join(' '),
      fix: 'mend it, see q workflow policy check; then q workflow policy reload for what runs',
    };
  const detail =
    files.length === 0
      ? 'no files, the default one holds'
      : files.map(({ policy }) => policy.file ?? '').join(', ');
  return { name: 'policies', state: 'ok', detail, fix: null };
}

/**
 * Where the supervisor decides its runs by other files than `policy explain` reads here: by the variables that it was
 * started with. One of an earlier version does not say.
 */
export function policyPlaceRows(
  { configHome, userHome }: Caller,
  { environment, config_home: given }: Partial<SupervisorStatus>,
  env: NodeJS.ProcessEnv,
): HealthRow[] {
  const rows: HealthRow[] = [];
  const differ = (what: string, variable: string): void => {
    rows.push({
      name: 'policies',
      state: 'missing',
      detail: `the supervisor was started with another ${variable}: ${what}`,
      fix: `start it again with the ${variable} of this shell, or change that: q workflow supervisor stop, then start (a service: install it again)`,
    });
  };
  if (given !== undefined) {
    const theirs = given ?? join(userHome, '.config');
    if (theirs !== configHome)
      differ(
        `runs are decided by ${join(theirs, 'q-workflow', 'policies')}, policy explain here reads ${join(configHome, 'q-workflow', 'policies')}`,
        'XDG_CONFIG_HOME',
      );
  }
  const here = env[ENVIRONMENT_VARIABLE] || DEFAULT_ENVIRONMENT;
  if (environment !== undefined && environment !== here)
    differ(
      `runs are decided as in the environment ${environment}, policy explain here answers for ${here}`,
      ENVIRONMENT_VARIABLE,
    );
  return rows;
}
