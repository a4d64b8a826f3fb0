import type { StatusDocument, StepDocument } from '../protocol/control.ts';
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
  return [head, ...notice, ...steps].join('\n');
}

function stepLine(step: StepDocument, style: Style, now: number): string {
  const depth = step.path.split('/').length - 1;
  const end = step.ended_at === null ? now : Date.parse(step.ended_at);
  const spent = step.started_at === null ? '' : duration(end - Date.parse(step.started_at));
  const attempts = step.attempts > 1 ? ` attempt ${step.attempts}` : '';
  const why =
    step.error === null ? '' : `  ${step.error.code}: ${printable(step.error.message).slice(0, 160)}`;
  return `${'  '.repeat(depth)}${mark(step.status, style)} ${step.path}  ${style.dim(`${step.status} ${spent}${attempts}`)}${why}`;
}

function enforcement(run: StatusDocument): string {
  if (run.isolation === null) return 'not applied';
  const { backend, enforced, observed } = run.isolation;
  return `enforced by ${backend}: ${enforced.join(', ') || 'none'}${observed.length === 0 ? '' : `; observed: ${observed.join(', ')}`}`;
}
