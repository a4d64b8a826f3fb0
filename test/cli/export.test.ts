import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditRecord } from '../../src/cli/audit/audit-record.ts';
import { lineOf } from '../../src/cli/export/export.ts';

const RECORD: AuditRecord = {
  v: 2,
  log: 'l',
  seq: 7,
  boot: 'b',
  mono_us: 1,
  severity: 'warning',
  type: 'permit.decided',
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  actor: { kind: 'person', id: 'ann, "the" boss', uid: 1000 },
  instance: 'abc',
  data: { decision: 'deny', count: 3, share: 0.5, is_late: true, rules: ['a', 'b'], nothing: null },
  hash: 'f'.repeat(64),
};
const parsed = (format: Parameters<typeof lineOf>[0]): Record<string, unknown> => {
  const line = lineOf(format, '1.2.3')(RECORD);
  assert.ok(line.endsWith('\n') && line.indexOf('\n') === line.length - 1);
  return JSON.parse(line) as Record<string, unknown>;
};

test('jsonl is the record itself', () => {
  assert.deepEqual(parsed('jsonl'), RECORD);
});

test('csv quotes as RFC 4180 says', () => {
  assert.equal(
    lineOf('csv', '1.2.3')(RECORD),
    `7,2026-01-02T03:04:05.006Z,warning,permit.decided,abc,person,"ann, ""the"" boss",1000,` +
      `"{""decision"":""deny"",""count"":3,""share"":0.5,""is_late"":true,""rules"":[""a"",""b""],""nothing"":null}",${'f'.repeat(64)}\r\n`,
  );
});

test('a cloud event has the attributes that version 1.0 requires, and the record as its data', () => {
  assert.deepEqual(parsed('cloudevents'), {
    specversion: '1.0',
    id: 'l/7',
    source: 'urn:q-workflow:audit:l',
    type: 'q-workflow.permit.decided',
    time: '2026-01-02T03:04:05.006Z',
    subject: 'abc',
    datacontenttype: 'application/json',
    sequence: '0000000000000007',
    audithash: 'f'.repeat(64),
    data: RECORD,
  });
});

test('an ocsf event is of the class API Activity with all that it requires', () => {
  const { unmapped, ...event } = parsed('ocsf');
  assert.deepEqual(unmapped, { record: RECORD });
  assert.deepEqual(event, {
    class_uid: 6003,
    class_name: 'API Activity',
    category_uid: 6,
    category_name: 'Application Activity',
    activity_id: 99,
    activity_name: 'permit.decided',
    type_uid: 600399,
    time: RECORD.at,
    severity_id: 3,
    severity: 'Medium',
    status_id: 2,
    status: 'Failure',
    metadata: {
      version: '1.3.0',
      product: { name: 'q-workflow', vendor_name: 'q-workflow', version: '1.2.3' },
      uid: 'l/7',
      sequence: 7,
      log_name: 'audit',
      event_code: 'permit.decided',
    },
    actor: { user: { name: 'ann, "the" boss', uid: '1000', type_id: 1 } },
    api: { operation: 'permit.decided', service: { name: 'q-workflow' }, request: { uid: 'abc' } },
    src_endpoint: { svc_name: 'q-workflow', uid: 'l' },
  });
});

test('an otel line is one OTLP document with one log record, numbers as the JSON form wants them', () => {
  const document = parsed('otel') as {
    resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[];
  };
  const [log, ...more] = document.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
  assert.deepEqual(more, []);
  assert.deepEqual(
    [log?.['timeUnixNano'], log?.['severityNumber'], log?.['severityText'], log?.['eventName']],
    ['1767323045006000000', 13, 'WARNING', 'q-workflow.permit.decided'],
  );
  assert.deepEqual(log?.['body'], {
    kvlistValue: {
      values: [
        { key: 'decision', value: { stringValue: 'deny' } },
        { key: 'count', value: { intValue: '3' } },
        { key: 'share', value: { doubleValue: 0.5 } },
        { key: 'is_late', value: { boolValue: true } },
        { key: 'rules', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
      ],
    },
  });
});

test('in a list of an otel line nothing is an empty value, and not the word null', () => {
  const line = lineOf('otel', '1.2.3')({ ...RECORD, data: { list: [null, 'null'] } });
  const values = [{}, { stringValue: 'null' }];
  assert.ok(line.includes(JSON.stringify({ key: 'list', value: { arrayValue: { values } } })), line);
});
