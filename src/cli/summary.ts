import type { StatusDocument, StepDocument } from '../protocol/control.ts';
import { sparkline } from './sparkline.ts';
import { bytes, duration, mark, printable, type Style } from './style.ts';

/** What a person wants to know when a run has ended: how, how long, what it used, why it failed, what to do next. */
export function summary(run: StatusDocument, style: Style): string {
  const lines: string[] = [];
  const spent =
    run.started_at !== null && run.ended_at !== null
      ? ` in ${duration(Date.parse(run.ended_at) - Date.parse(run.started_at))}`
      : '';
  lines.push(
    `${mark(run.status, style)} ${style.bold(run.workflow)} ${run.status}${spent}  ${style.dim(run.id)}`,
  );
  if (run.usage !== null)
    lines.push(
      style.dim(
        `  peak memory ${bytes(run.usage.peak_memory_bytes)} of ${run.limits.max_memory_mb} MB, cpu ${run.usage.cpu_seconds.toFixed(1)} s, limits ${enforcement(run)}`,
      ),
    );
  for (const hit of run.limits_hit.slice(-MAX_LIMITS_SHOWN))
    lines.push(`  ${style.yellow('limit')} ${limitText(hit)}`);
  const said = run.status === 'completed' ? lastWords(run) : null;
  if (said !== null) lines.push(`  ${printable(said)}`);
  if (run.error !== null) {
    lines.push(`  ${style.red(run.error.code)} ${printable(run.error.message)}`);
    if (run.reason !== null && !run.error.message.includes(run.reason))
      lines.push(`  reason: ${printable(run.reason)}`);
    if (run.error.hint !== null)
      lines.push(
        `  hint: ${printable(run.error.hint.replace('<id>', run.id).replace('<path>', run.error.step ?? '<path>'))}`,
      );
    if (['failed', 'stopped', 'killed', 'timed_out'].includes(run.status))
      lines.push(`  go on from there: q workflow resume ${run.id}`);
  }
  return lines.join('\n');
}

const MAX_LIMITS_SHOWN = 5;

/** A limit that was met, with its numbers: `memory of step fetch: peak 191 MB of 192 MB`. */
function limitText(hit: StatusDocument['limits_hit'][number]): string {
  const whose = hit.step === null ? 'the run' : `step ${printable(hit.step)}`;
  switch (hit.limit) {
    case 'memory':
    case 'disk':
    case 'io':
      return `${hit.limit} of ${whose}: peak ${bytes(hit.peak)} of ${bytes(hit.allowed)}`;
    case 'processes': {
      const refused = hit.refused === undefined ? '' : `, ${hit.refused} starts refused`;
      return `processes of ${whose}: peak ${hit.peak} of ${hit.allowed}${refused}`;
    }
    case 'time':
      return `time of ${whose}: ${hit.allowed} s`;
    case 'cpu': {
      const heldBack =
        hit.held_back_seconds === undefined ? '' : `, held back ${hit.held_back_seconds.toFixed(1)} s`;
      return `cpu of ${whose}: ${hit.allowed} %${heldBack}`;
    }
  }
}

/** The text of the last step at the top, when it is short: what a workflow says of its own result. */
function lastWords(run: StatusDocument): string | null {
  const last = run.steps.filter((step) => !step.path.includes('/') && step.status === 'completed').at(-1);
  const outputs = last?.outputs;
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs)) return null;
  const text = outputs['text'] ?? outputs['stdout'];
  return typeof text === 'string' && /^[^\n]{1,300}$/.test(text) ? text : null;
}

/** The whole instance with its steps, as `status <id>` prints it. */
export function statusText(run: StatusDocument, style: Style, now: number): string {
  const head = summary(run, style);
  const steps = run.steps.map((step) => `  ${stepLine(step, style, now)}`);
  const notice = run.notice === null ? [] : [`  ${style.yellow('!')} ${printable(run.notice)}`];
  return [head, ...usageLines(run, style), ...notice, ...steps].join('\n');
}

const SPARK_COLUMNS = 32;

/** What was used over time, against the limits; nothing for a run too short to be looked at. */
function usageLines({ usage, limits }: StatusDocument, style: Style): string[] {
  if (usage === null || usage.series === null) return [];
  const { now, series } = usage;
  const line = (name: string, values: readonly number[], top: number, words: readonly string[]): string =>
    style.dim(`  ${name} ${sparkline(values, top, SPARK_COLUMNS)}  ${words.join(', ')}`);
  const memoryTop = limits.max_memory_mb * 1024 * 1024;
  return [
    line('memory', series.memory_bytes, memoryTop, [
      ...(now === null ? [] : [`now ${bytes(now.memory_bytes)}`]),
      `mean ${bytes(usage.mean_memory_bytes ?? 0)}`,
      `peak ${bytes(usage.peak_memory_bytes)} of ${limits.max_memory_mb} MB`,
    ]),
    line('cpu   ', series.cpu_percent, limits.max_cpu_percent, [
      ...(now === null ? [] : [`now ${now.cpu_percent} %`]),
      `mean ${usage.mean_cpu_percent ?? 0} % of ${limits.max_cpu_percent} %`,
      ...(usage.cpu_throttled_seconds > 0 ? [`held back ${usage.cpu_throttled_seconds.toFixed(1)} s`] : []),
    ]),
    ...ioLines(usage, limits).map(style.dim),
  ];
}

/** What went to and from disks; nothing where nobody could tell. The curve is of both together. */
function ioLines(
  { io_read_bytes: read, io_written_bytes: written, series, now }: NonNullable<StatusDocument['usage']>,
  limits: StatusDocument['limits'],
): string[] {
  // A supervisor of an older version says nothing of it.
  if (typeof read !== 'number' || typeof written !== 'number') return [];
  const writes = series?.io_written_bytes_per_s ?? [];
  const sums = (series?.io_read_bytes_per_s ?? []).map((value, index) => value + (writes[index] ?? 0));
  const words = [
    ...(now === null
      ? []
      : [`now ${bytes(now.io_read_bytes_per_s ?? 0)}/s r · ${bytes(now.io_written_bytes_per_s ?? 0)}/s w`]),
    `read ${bytes(read)}`,
    `written ${bytes(written)}`,
    ...(typeof limits.max_io_mb_per_s !== 'number' ? [] : [`limit ${limits.max_io_mb_per_s} MB/s`]),
  ];
  return [`  io     ${sparkline(sums, Math.max(...sums), SPARK_COLUMNS)}  ${words.join(', ')}`];
}

function stepLine(step: StepDocument, style: Style, now: number): string {
  const depth = step.path.split('/').length - 1;
  const end = step.ended_at === null ? now : Date.parse(step.ended_at);
  const spent = step.started_at === null ? '' : duration(end - Date.parse(step.started_at));
  const attempts = step.attempts > 1 ? ` attempt ${step.attempts}` : '';
  const why =
    step.approvals.length > 0
      ? `  ${style.yellow(`waits for approval ${step.approvals.join(', ')}: q workflow approvals`)}`
      : step.error === null
        ? ''
        : `  ${step.error.code}: ${printable(step.error.message).slice(0, 160)}`;
  return `${'  '.repeat(depth)}${mark(step.status, style)} ${step.path}  ${style.dim(`${step.status} ${spent}${attempts}`)}${why}`;
}

function enforcement(run: StatusDocument): string {
  if (run.isolation === null) return 'not applied';
  const { backend, enforced, observed } = run.isolation;
  return `enforced by ${backend}: ${enforced.join(', ') || 'none'}${observed.length === 0 ? '' : `; observed: ${observed.join(', ')}`}`;
}
