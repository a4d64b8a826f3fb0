import type { Caller } from '../../protocol/caller.ts';
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
