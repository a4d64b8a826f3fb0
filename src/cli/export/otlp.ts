import type { AuditRecord } from '../audit/audit-record.ts';

/** Severity numbers of the OpenTelemetry log data model. */
const SEVERITIES = { info: 9, notice: 10, warning: 13, error: 17 } as const;

type AnyValue =
  /** Null: an empty one. */
  | Readonly<Record<string, never>>
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/**
 * A record as OTLP/JSON logs, one document a line (the form of the collector's file receiver and exporter). Log
 * records, not spans: each is one fact at one moment, and a span would have to wait for its end.
 */
export function toOtlp(record: AuditRecord, version: string): object {
  const { log, seq, at, type, actor, instance, data, hash, severity = 'info' } = record;
  const time = `${at}000000`;
  return {
    resourceLogs: [
      {
        resource: {
          attributes: attributes({
            'service.name': 'q-workflow',
            'service.version': version,
            'service.instance.id': log,
          }),
        },
        scopeLogs: [
          {
            scope: { name: 'q-workflow.audit', version: String(record.v) },
            logRecords: [
              {
                timeUnixNano: time,
                observedTimeUnixNano: time,
                severityNumber: SEVERITIES[severity],
                severityText: severity.toUpperCase(),
                eventName: `q-workflow.${type}`,
                body: anyValue(data),
                attributes: attributes({
                  'log.record.uid': `${log}/${seq}`,
                  'q_workflow.audit.seq': seq,
                  'q_workflow.audit.hash': hash,
                  'q_workflow.actor.kind': actor.kind,
                  'q_workflow.actor.id': actor.id,
                  'user.id': actor.uid === null ? null : String(actor.uid),
                  'q_workflow.instance.id': instance,
                }),
              },
            ],
          },
        ],
      },
    ],
  };
}

/** An attribute without a value is left out. */
function attributes(values: Readonly<Record<string, unknown>>): KeyValue[] {
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: unknown): AnyValue {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value))
    return { arrayValue: { values: value.map((item) => (item === null ? {} : anyValue(item))) } };
  if (typeof value === 'object' && value !== null)
    return { kvlistValue: { values: attributes(Object.fromEntries(Object.entries(value))) } };
  return { stringValue: String(value) };
}
