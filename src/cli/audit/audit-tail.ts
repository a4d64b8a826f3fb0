import type { Client } from '../../client/client.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { styleFor } from '../text/style.ts';
import { type FilterFlags, filterOf, newestRecords } from './audit-pages.ts';
import { type AuditRecord, recordLine, recordOf } from './audit-record.ts';

export interface TailOptions {
  readonly isJson: boolean;
  /** Records to begin with. */
  readonly lines: number;
  readonly isFollowing: boolean;
}

/**
 * Prints the last records, then, when following, each one that comes, without a gap or a repetition. Ends by Ctrl-C.
 * Throws SUPERVISOR_UNREACHABLE when the supervisor goes away.
 */
export async function tailRecords(client: Client, flags: FilterFlags, options: TailOptions): Promise<void> {
  const style = styleFor(process.stdout);
  const print = (record: AuditRecord): void => {
    process.stdout.write(`${options.isJson ? JSON.stringify(record) : recordLine(record, style)}\n`);
  };
  const filter = filterOf(flags, Date.now());
  const { seq: end } = await client.call('audit.about', {});
  const first = options.lines === 0 ? [] : await newestRecords(client, filter, options.lines);
  for (const record of first) if (record.seq <= end) print(record);
  if (!options.isFollowing) return;
  client.onNotification(({ method, params }) => {
    if (method === 'audit.records') for (const row of params.rows) print(recordOf(row));
  });
  await client.call('audit.follow', { from: end, filter });
  await client.closed;
  throw new WorkflowError('SUPERVISOR_UNREACHABLE', 'the supervisor went away; what it recorded is kept', {
    hint: 'Run the command again: it starts a supervisor.',
  });
}
