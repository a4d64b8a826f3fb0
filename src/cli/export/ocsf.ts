import type { AuditRecord } from '../audit/audit-record.ts';

/** The version of the OCSF schema that the export is written for. */
export const OCSF_VERSION = '1.3.0';

const CLASS_UID = 6003;
const CATEGORY_UID = 6;
const ACTIVITIES = { create: 1, update: 3, delete: 4, other: 99 } as const;
const SEVERITIES = {
  info: [1, 'Informational'],
  notice: [2, 'Low'],
  warning: [3, 'Medium'],
  error: [4, 'High'],
} as const;

/** A record as an event of the class API Activity (6003). */
export function toOcsf(record: AuditRecord, version: string): object {
  const { log, seq, at, type, actor, instance, data, severity = 'info' } = record;
  const activity = activityOf(type);
  return {
    class_uid: CLASS_UID,
    class_name: 'API Activity',
    category_uid: CATEGORY_UID,
    category_name: 'Application Activity',
    activity_id: ACTIVITIES[activity],
    activity_name: activity === 'other' ? type : activity[0]?.toUpperCase() + activity.slice(1),
    type_uid: CLASS_UID * 100 + ACTIVITIES[activity],
    time: at,
    severity_id: SEVERITIES[severity][0],
    severity: SEVERITIES[severity][1],
    ...statusOf(data),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'q-workflow', vendor_name: 'q-workflow', version },
      uid: `${log}/${seq}`,
      sequence: seq,
      log_name: 'audit',
      event_code: type,
    },
    actor: {
      user: {
        name: actor.id,
        ...(actor.uid === null ? {} : { uid: String(actor.uid) }),
        type_id: actor.kind === 'person' ? 1 : 3,
      },
    },
    api: {
      operation: type,
      service: { name: 'q-workflow' },
      ...(instance === null ? {} : { request: { uid: instance } }),
    },
    src_endpoint: { svc_name: 'q-workflow', uid: log },
    unmapped: { record },
  };
}

function activityOf(type: string): keyof typeof ACTIVITIES {
  if (/\.(created|registered|launched|started)$/.test(type)) return 'create';
  if (/\.(unregistered|pruned|payload_erased)$/.test(type)) return 'delete';
  if (/\.(paused|unpaused|resumed|completed|failed|skipped|cancelled|ended|exited)$/.test(type))
    return 'update';
  return 'other';
}

function statusOf(data: AuditRecord['data']): { status_id: number; status: string } {
  const isRefused = data['decision'] === 'deny' || ('error' in data && data['error'] !== null);
  return isRefused ? { status_id: 2, status: 'Failure' } : { status_id: 1, status: 'Success' };
}
