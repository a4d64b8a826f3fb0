import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../audit/record.ts';
import type { FindRun } from './record-metrics.ts';

/** A run, or an attempt of a step within it. Times are UTC ms. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** A code or a status, never a message: those can hold anything. Null: it went well. */
  readonly failure: string | null;
}

/** Makes spans of what the audit records say. */
export interface SpanMaker {
  /** The spans that these records end. */
  take(records: readonly AuditEntry[]): Span[];
}

/** Attempts whose end is awaited; older ones are forgotten, their spans are lost. */
const MAX_OPEN = 10_000;
const ENDS = ['step.completed', 'attempt.failed', 'step.cancelled', 'step.interrupted'];

/** Ids follow from the instance, path and attempt: what a second supervisor ends belongs to the same trace. */
export function createSpanMaker(findRun: FindRun): SpanMaker {
  const open = new Map<string, { readonly startedAt: number; readonly stepType: string }>();

  const endOfAttempt = ({ type, at, data }: AuditEntry, instance: string): Span | null => {
    const [path, attempt] = [String(data['path']), Number(data['attempt'] ?? 1)];
    const key = `${instance} ${path} ${attempt}`;
    const begun = open.get(key);
    open.delete(key);
    if (begun === undefined) return null;
    const error = data['error'];
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : type;
    return {
      traceId: hash(instance, 32),
      spanId: hash(key, 16),
      parentSpanId: hash(`run ${instance}`, 16),
      name: `step ${path}`,
      startedAt: begun.startedAt,
      endedAt: Math.max(begun.startedAt, at),
      attributes: {
        'q_workflow.instance': instance,
        'q_workflow.step.path': path,
        'q_workflow.step.type': begun.stepType,
        'q_workflow.step.attempt': attempt,
      },
      failure: type === 'step.completed' ? null : code,
    };
  };

  const endOfRun = ({ at, data }: AuditEntry, instance: string): Span | null => {
    for (const key of open.keys()) if (key.startsWith(`${instance} `)) open.delete(key);
    const run = findRun(instance);
    if (run === null) return null;
    const status = String(data['status']);
    return {
      traceId: hash(instance, 32),
      spanId: hash(`run ${instance}`, 16),
      parentSpanId: null,
      name: `workflow ${run.workflow}`,
      startedAt: run.createdAt,
      endedAt: Math.max(run.createdAt, at),
      attributes: {
        'q_workflow.workflow': run.workflow,
        'q_workflow.instance': instance,
        'q_workflow.status': status,
      },
      failure: status === 'completed' ? null : status,
    };
  };

  const one = (record: AuditEntry): Span | null => {
    const { type, at, instance, data } = record;
    if (instance === null) return null;
    if (type === 'run.ended') return endOfRun(record, instance);
    if (ENDS.includes(type)) return endOfAttempt(record, instance);
    if (type !== 'step.started') return null;
    const oldest = open.size < MAX_OPEN ? undefined : open.keys().next().value;
    if (oldest !== undefined) open.delete(oldest);
    open.set(`${instance} ${String(data['path'])} ${Number(data['attempt'] ?? 1)}`, {
      startedAt: at,
      stepType: String(data['step_type']),
    });
    return null;
  };

  return { take: (records) => records.flatMap((record) => one(record) ?? []) };
}

function hash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
