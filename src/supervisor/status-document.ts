import type { RunProjection } from '../engine/projection.ts';
import type { StepRow } from '../engine/projection-rows.ts';
import { ERROR_TABLE } from '../errors/table.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { ErrorDocument, InstanceSummary, StatusDocument, StepDocument } from '../protocol/control.ts';
import type { InstanceRow, InstanceStatus, UsageTotals } from '../store/operations.ts';

/** The document of `status <id> --json`. `live` overrides what the row, read earlier, may not know yet. */
export function statusDocument(
  row: InstanceRow,
  projection: RunProjection,
  live: { status: InstanceStatus; usage: UsageTotals | null; pid: number | null } | null,
): StatusDocument {
  const run = projection.view();
  const usage = live?.usage ?? row.usage;
  const error = run.error ?? row.error;
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    status: live?.status ?? row.status,
    reason: run.reason ?? row.reason,
    created_at: iso(row.createdAt),
    started_at: row.startedAt === null ? null : iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
    workspace: row.workspace,
    inputs: row.inputs,
    steps: run.steps.map(stepDocument),
    context: {
      ...row.context.readonly,
      ...row.context.mutable,
      ...run.context.readonly,
      ...run.context.mutable,
    },
    isolation:
      row.isolation === null
        ? null
        : {
            backend: row.isolation.backend,
            enforced: row.isolation.enforced,
            observed: row.isolation.observed,
          },
    limits: {
      max_memory_mb: Math.round(row.limits.memoryBytes / 1024 / 1024),
      max_cpu_percent: row.limits.cpuPercent,
      max_processes: row.limits.processes,
    },
    usage:
      usage === null
        ? null
        : {
            peak_memory_bytes: usage.peakMemoryBytes,
            cpu_seconds: usage.cpuSeconds,
            processes_peak: usage.processesPeak,
          },
    incarnations: row.incarnation,
    pid: live?.pid ?? null,
    notice: row.notice,
    error: error === null ? null : errorDocument(error),
  };
}

export function stepDocument(row: StepRow): StepDocument {
  return {
    ...row,
    started_at: row.started_at === null ? null : iso(row.started_at),
    ended_at: row.ended_at === null ? null : iso(row.ended_at),
    error: row.error === null ? null : errorDocument(row.error),
  };
}

export function instanceSummary(row: InstanceRow, status: InstanceStatus): InstanceSummary {
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    status,
    reason: row.reason,
    created_at: iso(row.createdAt),
    started_at: row.startedAt === null ? null : iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
  };
}

function errorDocument(error: ErrorRecord): ErrorDocument {
  return {
    code: error.code,
    message: error.message,
    step: error.step ?? null,
    hint: error.hint ?? ERROR_TABLE[error.code]?.hint ?? null,
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
