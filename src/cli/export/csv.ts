import type { AuditRecord } from '../audit/audit-record.ts';

const COLUMNS = [
  'seq',
  'time',
  'severity',
  'type',
  'instance',
  'actor_kind',
  'actor_id',
  'actor_uid',
  'data',
  'hash',
] as const;

/** The first line of the export, after RFC 4180. */
export function csvHeader(): string {
  return `${COLUMNS.join(',')}\r\n`;
}

export function csvRow(record: AuditRecord): string {
  const { seq, at, severity, type, instance, actor, data, hash } = record;
  const cells = [
    String(seq),
    new Date(at).toISOString(),
    severity ?? '',
    type,
    instance ?? '',
    actor.kind,
    actor.id,
    actor.uid === null ? '' : String(actor.uid),
    JSON.stringify(data),
    hash,
  ];
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
