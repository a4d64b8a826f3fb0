import type { AuditRow } from '../../store/audit-reader.ts';

export const EVENTS = [
  'run.failed',
  'limit.hit',
  'approval.requested',
  'kill.tripped',
  'run.completed',
] as const;
export type EventName = (typeof EVENTS)[number];

/** What a target is told, as its JSON body or on its stdin. */
export interface Notification {
  /** `<audit log>:<number of the record>`: the same when it comes a second time. */
  readonly id: string;
  readonly event: EventName;
  /** UTC ISO 8601. */
  readonly at: string;
  readonly workflow: string | null;
  readonly instance: string | null;
  /** All of it in a line for people. */
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Ends that somebody should hear of. `stopped` is what a person asked for. */
const FAILURES: readonly unknown[] = ['failed', 'killed', 'timed_out', 'rolled_back', 'rollback_failed'];
const RECORD_TYPES: readonly string[] = ['run.ended', 'limit.hit', 'approval.requested', 'kill.tripped'];
const MAX_TEXT = 500;

/** Whether records of a type may be told of. */
export function isTold(type: string): boolean {
  return RECORD_TYPES.includes(type);
}

/** One record of the audit log as a notification; null when nobody is to be told. */
export async function notificationOf(
  log: string,
  row: Pick<AuditRow, 'seq' | 'body'>,
  workflowOf: (instance: string) => Promise<string | null>,
): Promise<Notification | null> {
  // Only our own appends made it.
  const { type, at, instance, data } = JSON.parse(row.body) as {
    type: string;
    at: number;
    instance: string | null;
    data: Readonly<Record<string, unknown>>;
  };
  const event = eventOf(type, data);
  if (event === null) return null;
  const workflow = instance === null ? null : await workflowOf(instance);
  const run = instance === null ? '' : `${workflow ?? 'a run'} (${instance})`;
  const told = tell(event, run, instance, data);
  return {
    id: `${log}:${row.seq}`,
    event,
    at: new Date(at).toISOString(),
    workflow,
    instance,
    text: told.text.replace(/\s+/g, ' ').slice(0, MAX_TEXT),
    details: told.details,
  };
}

function eventOf(type: string, data: Readonly<Record<string, unknown>>): EventName | null {
  if (type === 'run.ended') {
    if (data['status'] === 'completed') return 'run.completed';
    return FAILURES.includes(data['status']) ? 'run.failed' : null;
  }
  return EVENTS.find((each) => each === type) ?? null;
}

interface Told {
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Never inputs, results or arguments: what a call would do is for `q workflow approvals`, not for a chat. */
function tell(
  event: EventName,
  run: string,
  instance: string | null,
  data: Readonly<Record<string, unknown>>,
): Told {
  const of = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const pick = (...names: string[]): Record<string, unknown> =>
    Object.fromEntries(names.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])));
  switch (event) {
    case 'run.completed':
      return { text: `${run} completed`, details: pick('status') };
    case 'run.failed':
      return {
        text: `${run} ${of('status').replace('_', ' ')}: ${of('reason')}`,
        details: { ...pick('status', 'reason'), ...codeOf(data['error']) },
      };
    case 'limit.hit': {
      const where = data['path'] == null ? '' : ` in step ${of('path')}`;
      return {
        text: `${run} met its ${of('limit')} limit${where}: allowed ${of('allowed')}, peak ${of('peak')}`,
        details: pick('path', 'limit', 'allowed', 'peak'),
      };
    }
    case 'approval.requested':
      return {
        text: `${run} waits for approval ${of('approval')}: ${of('what')} in step ${of('path')}. q workflow approve ${instance ?? ''} ${of('approval')}`,
        details: pick('approval', 'path', 'kind', 'what', 'agent', 'rules', 'expires_at'),
      };
    case 'kill.tripped':
      return {
        text: `kill switch ${of('scope')} tripped by ${of('by')}: ${of('reason')}`,
        details: pick('scope', 'mode', 'reason', 'by'),
      };
  }
}

function codeOf(error: unknown): { code?: unknown; step?: unknown } {
  if (typeof error !== 'object' || error === null || !('code' in error)) return {};
  return { code: error.code, ...('step' in error ? { step: error.step } : {}) };
}
