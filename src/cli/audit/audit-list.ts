import type { ListColumn } from '../text/list-flags.ts';
import { printable } from '../text/style.ts';
import { type AuditRecord, factsText, severityStyle } from './audit-record.ts';

export const AUDIT_COLUMNS: readonly ListColumn<AuditRecord>[] = [
  { name: 'seq', title: 'NO', align: 'right', value: ({ seq }) => seq },
  {
    name: 'at',
    title: 'AT',
    value: ({ at }) => new Date(at).toISOString(),
    isWhole: true,
    cell: ({ at }, { time }) => time(new Date(at).toISOString()),
  },
  { name: 'instance', title: 'INSTANCE', isWhole: true, value: ({ instance }) => instance },
  {
    name: 'type',
    title: 'TYPE',
    value: ({ type }) => type,
    cell: (record, { style }) => severityStyle(record, style)(record.type),
  },
  { name: 'severity', value: ({ severity }) => severity ?? null },
  { name: 'actor', value: ({ actor }) => actor.id },
  { name: 'actor_kind', value: ({ actor }) => actor.kind },
  {
    name: 'facts',
    title: 'WHAT',
    value: ({ data }) => JSON.stringify(data),
    cell: (record) => printable(factsText(record)),
  },
  { name: 'hash', value: ({ hash }) => hash },
];

/** What to say where no record fits. */
export const NO_RECORDS = 'No record fits. See all: q workflow audit list';
