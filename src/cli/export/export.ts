import { once } from 'node:events';
import type { AuditRecord } from '../audit/audit-record.ts';
import { toCloudEvent } from './cloud-event.ts';
import { csvHeader, csvRow } from './csv.ts';
import { toOcsf } from './ocsf.ts';
import { toOtlp } from './otlp.ts';

export const EXPORT_FORMATS = ['jsonl', 'csv', 'cloudevents', 'ocsf', 'otel'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Writes records to stdout in a format, one a line, no faster than they are read. `version` is that of the program. */
export async function exportRecords(
  records: AsyncIterable<AuditRecord>,
  format: ExportFormat,
  version: string,
): Promise<void> {
  const line = lineOf(format, version);
  if (format === 'csv') process.stdout.write(csvHeader());
  for await (const record of records)
    if (!process.stdout.write(line(record))) await once(process.stdout, 'drain');
}

/** One record in a format, with its line end. */
export function lineOf(format: ExportFormat, version: string): (record: AuditRecord) => string {
  const json = (value: object): string => `${JSON.stringify(value)}\n`;
  switch (format) {
    case 'jsonl':
      return json;
    case 'csv':
      return csvRow;
    case 'cloudevents':
      return (record) => json(toCloudEvent(record));
    case 'ocsf':
      return (record) => json(toOcsf(record, version));
    case 'otel':
      return (record) => json(toOtlp(record, version));
  }
}
