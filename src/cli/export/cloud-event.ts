import type { AuditRecord } from '../audit/audit-record.ts';

/** A record as a CloudEvent 1.0 in the JSON format, with the extension `sequence`. */
export function toCloudEvent(record: AuditRecord): object {
  const { log, seq, type, at, instance, hash } = record;
  return {
    specversion: '1.0',
    id: `${log}/${seq}`,
    source: `urn:q-workflow:audit:${log}`,
    type: `q-workflow.${type}`,
    time: new Date(at).toISOString(),
    ...(instance === null ? {} : { subject: instance }),
    datacontenttype: 'application/json',
    sequence: String(seq).padStart(16, '0'),
    audithash: hash,
    data: record,
  };
}
