import { didYouMean, nearest } from '../../errors/nearest.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Store } from '../../store/store.ts';
import type { VersionRow } from '../../store/tables/version-rows.ts';

/** Shorter beginnings of a hash are taken for numbers, or refused. */
const MIN_HASH = 6;
/** As many are named in an error. */
const MOST_NAMED = 10;

/** `name@version`, taken apart; null for what has no version. A name never holds an `@`. */
export function parseAddress(target: string): { name: string; version: string } | null {
  const at = target.indexOf('@');
  return at < 1 ? null : { name: target.slice(0, at), version: target.slice(at + 1) };
}

/**
 * The registered version of a workflow that was meant: its number, the beginning of its hash (six characters or more),
 * or the `version` of its file. Throws WORKFLOW_NOT_FOUND, VERSION_NOT_FOUND or VERSION_AMBIGUOUS.
 */
export async function findVersion(store: Store, name: string, version: string): Promise<VersionRow> {
  const rows = await store.call('version.list', { workflow: name });
  if (!rows.some(({ isCurrent }) => isCurrent)) throw await unregistered(store, name);
  const found = matching(rows, version);
  const [first] = found;
  if (first === undefined)
    throw new WorkflowError('VERSION_NOT_FOUND', `${name} has no version "${version}"`, {
      hint: `There ${rows.length === 1 ? 'is' : 'are'} ${named(rows)}. q workflow list ${name} --versions tells more.`,
    });
  if (found.length > 1)
    throw new WorkflowError('VERSION_AMBIGUOUS', `${found.length} versions of ${name} are "${version}"`, {
      hint: `Say which by its number: ${named(found)}.`,
    });
  return first;
}

function matching(rows: readonly VersionRow[], version: string): readonly VersionRow[] {
  const byNumber = rows.filter(({ number }) => String(number) === version);
  if (byNumber.length > 0) return byNumber;
  const isHash = version.length >= MIN_HASH && /^[0-9a-f]+$/.test(version);
  if (isHash) return rows.filter(({ definitionHash }) => definitionHash.startsWith(version));
  return rows.filter((row) => row.version === version);
}

/** `deploy@1 (1.0.0, 3fa9c2d1), …`, the newest first. */
function named(rows: readonly VersionRow[]): string {
  const texts = rows
    .toReversed()
    .slice(0, MOST_NAMED)
    .map((row) => `${row.workflow}@${row.number} (${row.version}, ${row.definitionHash.slice(0, 8)})`);
  return rows.length > MOST_NAMED
    ? `${texts.join(', ')} and ${rows.length - MOST_NAMED} more`
    : texts.join(', ');
}

async function unregistered(store: Store, name: string): Promise<WorkflowError> {
  const names = (await store.call('registration.list', {})).map((row) => row.name);
  return new WorkflowError(
    'WORKFLOW_NOT_FOUND',
    `no workflow is registered as "${name}"${didYouMean(nearest(name, names))}`,
    { hint: 'Only registered workflows have versions: q workflow register <file>.' },
  );
}
