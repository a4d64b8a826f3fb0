import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { namesIn } from '../../protocol/names-in.ts';
import type { ArchiveDocument } from '../../protocol/upkeep-control.ts';
import type { SupervisorContext } from '../context.ts';
import { type ArchiveHeader, readHeader } from './archive-file.ts';

const SUFFIX = '.jsonl.gz';

type ListContext = Pick<SupervisorContext, 'home' | 'log'>;

export function archiveFile({ home }: Pick<SupervisorContext, 'home'>, id: string): string {
  return join(home.archiveFolder, `${id}${SUFFIX}`);
}

/** Ids of the archived instances: those of the files. */
export function archivedIds({ home }: Pick<SupervisorContext, 'home'>): string[] {
  return namesIn(home.archiveFolder)
    .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
    .map((name) => name.slice(0, -SUFFIX.length));
}

/** The newest end first. One that cannot be read is left out, and a line in the log. */
export async function listArchives(context: ListContext): Promise<ArchiveDocument[]> {
  const found: ArchiveDocument[] = [];
  for (const id of archivedIds(context))
    try {
      const file = archiveFile(context, id);
      found.push(archiveDocument(file, await readHeader(file)));
    } catch (error) {
      context.log.warn('an archive cannot be read', { id, cause: ensureError(error).message });
    }
  // Times of one form: as texts they have the same order, and are not read anew for each comparison.
  return found.sort((a, b) =>
    a.ended_at === b.ended_at ? (a.id < b.id ? -1 : 1) : a.ended_at > b.ended_at ? -1 : 1,
  );
}

/** The id that begins so. Throws ARCHIVE_NOT_FOUND or INSTANCE_AMBIGUOUS. */
export function findArchive(context: Pick<SupervisorContext, 'home'>, given: string): string {
  const found = archivedIds(context).filter((id) => given !== '' && id.startsWith(given));
  const [first] = found;
  if (first === undefined)
    throw new WorkflowError(
      'ARCHIVE_NOT_FOUND',
      `no archived instance has an id that begins with "${given}"`,
    );
  if (found.includes(given)) return given;
  if (found.length > 1)
    throw new WorkflowError(
      'INSTANCE_AMBIGUOUS',
      `several archived ids begin with "${given}": ${found.slice(0, 3).join(', ')}`,
    );
  return first;
}

export function archiveDocument(file: string, header: ArchiveHeader): ArchiveDocument {
  const iso = (at: number): string => new Date(at).toISOString();
  const { id, workflow, version, status, created_at, ended_at, archived_at } = header;
  return {
    id,
    workflow,
    version,
    status,
    created_at: iso(created_at),
    ended_at: iso(ended_at),
    archived_at: iso(archived_at),
    file,
    bytes: statSync(file).size,
  };
}
