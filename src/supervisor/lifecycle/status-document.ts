import type { RunProjection } from '../../engine/projection.ts';
import type { StepRow } from '../../engine/projection-rows.ts';
import type { InstanceSummary, StatusDocument, StepDocument } from '../../protocol/control.ts';
import type { ApprovalRow } from '../../store/tables/approval-rows.ts';
import type {
  InstanceRow,
  InstanceStatus,
  ListedInstance,
  UsageTotals,
} from '../../store/tables/instance-rows.ts';
import { errorDocument } from './error-document.ts';
import type { UsagePoint } from './usage-history.ts';

/** The document of `status <id> --json`. `live` overrides what the row, read earlier, may not know yet. */
export function statusDocument(
  row: InstanceRow,
  projection: RunProjection,
  live: {
    status: InstanceStatus;
    usage: UsageTotals | null;
    usedNow: UsagePoint | null;
    pid: number | null;
  } | null,
): StatusDocument {
  const run = projection.view();
  const usage = live?.usage ?? row.usage;
  const error = run.error ?? row.error;
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    definition: row.definitionHash,
    status: live?.status ?? row.status,
    reason: run.reason ?? row.reason,
    paused: pausedBy(row),
    created_at: iso(row.createdAt),
    started_at: row.startedAt === null ? null : iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
    workspace: row.workspace,
    inputs: row.inputs,
    steps: run.steps.map((step) => stepDocument(step, row.id)),
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
            layers: row.isolation.layers ?? null,
            tiers: row.isolation.tiers ?? {},
            networks: row.isolation.networks ?? {},
          },
    limits: {
      max_memory_mb: Math.round(row.limits.memoryBytes / 1024 / 1024),
      max_cpu_percent: row.limits.cpuPercent,
      max_processes: row.limits.processes,
      max_io_mb_per_s: perMebibyte(row.limits.ioBytesPerSecond ?? null),
    },
    usage: usage === null ? null : usageDocument(usage, live?.usedNow ?? null),
    limits_hit: run.limits.map(({ path, limit, allowed, peak, refused, heldBackSeconds }) => ({
      step: path,
      limit,
      allowed,
      peak,
      ...(refused === undefined ? {} : { refused }),
      ...(heldBackSeconds === undefined ? {} : { held_back_seconds: heldBackSeconds }),
    })),
    incarnations: row.incarnation,
    pid: live?.pid ?? null,
    notice: row.notice,
    error: error === null ? null : errorDocument(error, row.id),
  };
}

export function stepDocument(row: StepRow, instance: string): StepDocument {
  return {
    ...row,
    started_at: row.started_at === null ? null : iso(row.started_at),
    ended_at: row.ended_at === null ? null : iso(row.ended_at),
    error: row.error === null ? null : errorDocument(row.error, instance),
  };
}

export function instanceSummary(
  row: ListedInstance,
  status: InstanceStatus,
  approvals: readonly ApprovalRow[],
): InstanceSummary {
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    definition: row.definitionHash,
    status,
    reason: row.reason,
    paused: pausedBy(row),
    approvals: approvals.filter((each) => each.status === 'pending').map(({ number }) => number),
    created_at: iso(row.createdAt),
    started_at: row.startedAt === null ? null : iso(row.startedAt),
    ended_at: row.endedAt === null ? null : iso(row.endedAt),
  };
}

function pausedBy({
  pausedAt,
  pausedBy: by,
}: Pick<InstanceRow, 'pausedAt' | 'pausedBy'>): StatusDocument['paused'] {
  return pausedAt === null ? null : { by: by ?? 'supervisor', since: iso(pausedAt) };
}

function usageDocument(usage: UsageTotals, now: UsagePoint | null): StatusDocument['usage'] {
  const series = usage.series ?? null;
  return {
    peak_memory_bytes: usage.peakMemoryBytes,
    cpu_seconds: usage.cpuSeconds,
    processes_peak: usage.processesPeak,
    cpu_throttled_seconds: usage.cpuThrottledSeconds,
    io_read_bytes: usage.ioReadBytes ?? null,
    io_written_bytes: usage.ioWrittenBytes ?? null,
    now:
      now === null
        ? null
        : {
            memory_bytes: now.memoryBytes,
            cpu_percent: Math.round(now.cpuPercent),
            processes: now.processes,
            io_read_bytes_per_s: now.io?.readPerSecond ?? null,
            io_written_bytes_per_s: now.io?.writtenPerSecond ?? null,
          },
    series:
      series === null
        ? null
        : {
            interval_ms: series.intervalMs,
            memory_bytes: series.memoryBytes,
            cpu_percent: series.cpuPercent,
            io_read_bytes_per_s: series.ioReadPerSecond ?? null,
            io_written_bytes_per_s: series.ioWrittenPerSecond ?? null,
          },
    mean_memory_bytes: series === null ? null : Math.round(mean(series.memoryBytes)),
    mean_cpu_percent: series === null ? null : Math.round(mean(series.cpuPercent)),
  };
}

function perMebibyte(bytes: number | null): number | null {
  return bytes === null ? null : bytes / 1024 / 1024;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
