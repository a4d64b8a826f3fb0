import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { AuditPage, AuditRow } from '../../store/audit-reader.ts';
import type { Store } from '../../store/store.ts';

/**
 * Compares the file of an archive with what the audit log says was archived, logs and results included: its own manifest
 * is no proof. Throws ARCHIVE_DAMAGED. Where no record is there, pruned or lost with a database, there is nothing to
 * compare with.
 */
export async function checkRecorded(store: Store, id: string, file: string): Promise<void> {
  const row = await newestRecord(store, id);
  if (row === null) return;
  const { data } = JSON.parse(row.body) as { data: { sha256?: unknown } };
  if (data.sha256 === (await hashOf(file))) return;
  throw new WorkflowError(
    'ARCHIVE_DAMAGED',
    `the archive ${file} is not what the audit log says was archived (record ${row.seq})`,
  );
}

/** Of a long log a question looks at a part. */
async function newestRecord(store: Store, id: string): Promise<AuditRow | null> {
  const query = { order: 'newest', limit: 1, since: null, until: null } as const;
  for (let from: number | null = Number.MAX_SAFE_INTEGER; from !== null; ) {
    const page: AuditPage = await store.call('audit.read', {
      ...query,
      from,
      type: 'instance.archived',
      instance: id,
    });
    const [row] = page.rows;
    if (row !== undefined) return row;
    from = page.next;
  }
  return null;
}

/** Piece by piece: an archive may be large, and the supervisor has others to answer. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
