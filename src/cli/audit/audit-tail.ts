import type { Client } from '../../client/client.ts';
import { isGoing, nextSupervisor } from '../../client/next-supervisor.ts';
import type { AuditFilter } from '../../protocol/audit-control.ts';
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
 * When the supervisor goes, it goes on with the next one; throws SUPERVISOR_UNREACHABLE when none comes soon.
 */
export async function tailRecords(first: Client, flags: FilterFlags, options: TailOptions): Promise<void> {
  const style = styleFor(process.stdout);
  const print = (record: AuditRecord): void => {
    process.stdout.write(`${options.isJson ? JSON.stringify(record) : recordLine(record, style)}\n`);
  };
  const filter = filterOf(flags, Date.now());
  const { seq: end } = await first.call('audit.about', {});
  const newest = options.lines === 0 ? [] : await newestRecords(first, filter, options.lines);
  for (const record of newest) if (record.seq <= end) print(record);
  if (!options.isFollowing) return;
  let last = end;
  let client = first;
  try {
    for (;;) {
      client.onNotification(({ method, params }) => {
        if (method !== 'audit.records') return;
        for (const row of params.rows) {
          print(recordOf(row));
          last = row.seq;
        }
      });
      await followFrom(client, last, filter);
      if (client !== first) client.close();
      client = await nextSupervisor({
        message: 'the supervisor went away, and none has come since; what was recorded is kept',
        hint: 'Run the command again: it starts a supervisor.',
      });
    }
  } finally {
    if (client !== first) client.close();
  }
}

/** Resolves when the connection has closed. */
async function followFrom(client: Client, from: number, filter: AuditFilter): Promise<void> {
  try {
    await client.call('audit.follow', { from, filter });
  } catch (error) {
    if (!isGoing(error)) throw error;
  }
  await client.closed;
}
