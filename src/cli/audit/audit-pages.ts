import type { Client } from '../../client/client.ts';
import type { AuditFilter } from '../../protocol/audit-control.ts';
import { parseMoment } from '../text/moment.ts';
import { type AuditRecord, recordOf } from './audit-record.ts';

/** The flags by which records are chosen. */
export interface FilterFlags {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly type?: string | undefined;
  readonly instance?: string | undefined;
}

const PAGE = 500;

export function filterOf(flags: FilterFlags, now: number): AuditFilter {
  return {
    since: flags.since === undefined ? null : parseMoment('--since', flags.since, now),
    until: flags.until === undefined ? null : parseMoment('--until', flags.until, now),
    type: flags.type ?? null,
    instance: flags.instance ?? null,
  };
}

/** The newest records that fit, oldest of them first. */
export async function newestRecords(
  client: Client,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let from: number | null = Number.MAX_SAFE_INTEGER;
  while (from !== null && found.length < limit) {
    const page: { rows: readonly { seq: number; body: string; hash: string }[]; next: number | null } =
      await client.call('audit.read', {
        order: 'newest',
        from,
        limit: Math.min(PAGE, limit - found.length),
        filter,
      });
    found.push(...page.rows.map(recordOf));
    from = page.next;
  }
  return found.reverse();
}

/** All records that fit, oldest first, up to the end that the log had at the start. */
export async function* allRecords(client: Client, filter: AuditFilter): AsyncGenerator<AuditRecord> {
  const { seq: end } = await client.call('audit.about', {});
  let from: number | null = 0;
  while (from !== null && from < end) {
    const page: { rows: readonly { seq: number; body: string; hash: string }[]; next: number | null } =
      await client.call('audit.read', { order: 'oldest', from, limit: PAGE, filter });
    for (const row of page.rows) {
      if (row.seq > end) return;
      yield recordOf(row);
    }
    from = page.next;
  }
}
