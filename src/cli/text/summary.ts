import { fillHint } from '../../errors/workflow-error.ts';
import type { StatusDocument, StepDocument } from '../../protocol/control.ts';
import { isObject } from '../../protocol/is-object.ts';
import { cutToWidth, displayWidth } from './display-width.ts';
import type { Screen } from './screen.ts';
import { sparkline } from './sparkline.ts';
import { ago, bytes, duration, mark, printable, type Style } from './style.ts';
import { wrapped } from './wrap.ts';

/** What a person wants to know when a run has ended: how, how long, what it used, why it failed, what to do next. */
export function summary(run: StatusDocument, { style, width, now }: Screen): string {
  const lines: string[] = [];
  const add = (label: string, text: string, paint = (line: string): string => line): void =>
    void lines.push(...wrapped(label, text, width).map(paint));
  const spent =
    run.started_at !== null && run.ended_at !== null
      ? ` in ${duration(Date.parse(run.ended_at) - Date.parse(run.started_at))}`
      : '';
  const name = cutToWidth(run.workflow, width - 2);
  const rest = `${run.status}${spent}  ${run.id}`;
  const isWide = 3 + displayWidth(`${name}${rest}`) <= width;
  lines.push(
    isWide
      ? `${mark(run.status, style)} ${style.bold(name)} ${run.status}${spent}  ${style.dim(run.id)}`
      : `${mark(run.status, style)} ${style.bold(name)}`,
  );
  if (!isWide) add('  ', rest);
  const why = standstill(run, now);
  if (why !== null) add('  ', printable(why));
  if (run.usage !== null)
    add(
      '  ',
      `peak memory ${bytes(run.usage.peak_memory_bytes)} of ${run.limits.max_memory_mb} MB, cpu ${run.usage.cpu_seconds.toFixed(1)} s, limits ${enforcement(run)}`,
      style.dim,
    );
  for (const hit of run.limits_hit.slice(-MAX_LIMITS_SHOWN))
    add(`  ${style.yellow('limit')} `, limitText(hit));
  const said = run.status === 'completed' ? lastWords(run) : null;
  if (said !== null) add('  ', printable(said));
  if (run.error !== null) {
    add(`  ${style.red(run.error.code)} `, printable(run.error.message));
    const others = otherFailures(run, run.error.step);
    if (others !== '') add('  also failed: ', others);
    if (run.error.step !== null && !run.error.message.includes(run.error.step))
      add('  step: ', printable(run.error.step));
    // Of a step that failed it says once more what stands there already.
    const isTold = run.status === 'failed' && run.error.step !== null;
    if (run.reason !== null && !isTold && !run.error.message.includes(run.reason))
      add('  reason: ', printable(run.reason));
    if (run.error.hint !== null)
      add('  hint: ', printable(fillHint(run.error.hint, { id: run.id, path: run.error.step ?? '<path>' })));
    if (['failed', 'stopped', 'killed', 'timed_out'].includes(run.status)) add(...wayOn(run, run.error));
  }
  return lines.join('\n');
}

/** Why a run that has not ended does nothing, and what lets it go on. */
function standstill({ id, status, paused }: StatusDocument, now: number): string | null {
  if (status === 'queued') return 'what it waits for: q workflow supervisor status';
  if (status !== 'paused' || paused === null) return null;
  const { by, since } = paused;
  if (by !== 'supervisor') return `paused by ${by} ${ago(since, now)}: q workflow resume ${id} goes on`;
  return `paused by the supervisor ${ago(since, now)}: the disk of its state folder is nearly full; with room again it goes on by itself`;
}

/** Agents that met a limit or are stuck trip the kill switch of their step: without a person `resume` is refused. */
const TRIPS_BY_ITSELF: ReadonlySet<string> = new Set(['AGENT_LIMIT', 'AGENT_STUCK']);

/** How the run goes on, with a label. */
function wayOn(
  { id }: StatusDocument,
  { code, step }: NonNullable<StatusDocument['error']>,
): [string, string] {
  const resume = `q workflow resume ${id}`;
  if (code === 'KILL_SWITCH') return ['  go on once it is armed again: ', resume];
  if (!TRIPS_BY_ITSELF.has(code) || step === null) return ['  go on from there: ', resume];
  const scope = word(printable(`step:${id}/${step}`));
  return [
    '  go on from there: ',
    `q workflow rearm ${scope} --reason "…", then ${resume} --from ${word(printable(step))}`,
  ];
}

/** Turns of loops have brackets, which a shell would take for a pattern. */
function word(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : `'${text}'`;
}

/** Failed steps beside the one that the error names, and beside the groups around it. */
function otherFailures({ steps }: StatusDocument, named: string | null): string {
  const paths = steps
    .filter(
      ({ status, path, type }) =>
        status === 'failed' && (type === 'skill' || type === 'agent') && path !== named,
    )
    .map(({ path }) => printable(path));
  const more = paths.length - MAX_FAILURES_SHOWN;
  return [...paths.slice(0, MAX_FAILURES_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

const MAX_FAILURES_SHOWN = 5;
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

/** The text of the last step, when it is short: what a workflow says of its own result. Of a condition, of its branch. */
function lastWords(run: StatusDocument): string | null {
  const last = run.steps.filter((step) => !step.path.includes('/') && step.status === 'completed').at(-1);
  let outputs = last?.outputs;
  while (isObject(outputs) && isObject(outputs['last'])) outputs = outputs['last'];
  if (!isObject(outputs)) return null;
  const text = outputs['text'] ?? outputs['stdout'];
  return typeof text === 'string' && /^[^\n]{1,300}$/.test(text) ? text : null;
}

/** The whole instance with its steps, as `status <id>` prints it. */
export function statusText(run: StatusDocument, screen: Screen): string {
  const notice =
    run.notice === null ? [] : wrapped(`  ${screen.style.yellow('!')} `, printable(run.notice), screen.width);
  return [summary(run, screen), ...usageLines(run, screen), ...notice, ...stepLines(run.steps, screen)].join(
    '\n',
  );
}

const SPARK_COLUMNS = 32;

/** What was used over time, against the limits; nothing for a run too short to be looked at. */
function usageLines(run: StatusDocument, { style, width }: Screen): string[] {
  const { usage, limits } = run;
  if (usage === null || usage.series === null) return [];
  const { now, series } = usage;
  const sparkColumns = Math.min(SPARK_COLUMNS, Math.max(8, width - 64));
  const line = (name: string, values: readonly number[], top: number, words: readonly string[]): string =>
    style.dim(cutToWidth(`  ${name} ${sparkline(values, top, sparkColumns)}  ${words.join(', ')}`, width));
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
    ...ioLines(usage, ioLimitOf(run), sparkColumns).map((text) => style.dim(cutToWidth(text, width))),
  ];
}

/** What went to and from disks; nothing where nobody could tell. The curve is of both together. */
function ioLines(
  { io_read_bytes: read, io_written_bytes: written, series, now }: NonNullable<StatusDocument['usage']>,
  limit: string | null,
  sparkColumns: number,
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
    ...(limit === null ? [] : [limit]),
  ];
  return [`  io     ${sparkline(sums, Math.max(...sums), sparkColumns)}  ${words.join(', ')}`];
}

function ioLimitOf({ limits, isolation }: StatusDocument): string | null {
  if (typeof limits.max_io_mb_per_s !== 'number') return null;
  const isHeld = isolation?.enforced.includes('io') ?? false;
  return `limit ${limits.max_io_mb_per_s} MB/s${isHeld ? '' : ', not held'}`;
}

/** Path, state, time and what there is to say, below each other. */
function stepLines(steps: readonly StepDocument[], { style, width, now }: Screen): string[] {
  const timeOf = ({ started_at: start, ended_at: end }: StepDocument): string =>
    start === null ? '' : duration((end === null ? now : Date.parse(end)) - Date.parse(start));
  const widest = (texts: readonly string[]): number =>
    texts.reduce((most, text) => Math.max(most, displayWidth(text)), 0);
  const stateWidth = widest(steps.map(({ status }) => status));
  const timeWidth = widest(steps.map(timeOf));
  const pathWidth = Math.min(
    widest(steps.map(({ path }) => printable(path))),
    Math.max(12, width - stateWidth - timeWidth - MIN_DETAIL - 10),
  );
  const room = width - pathWidth - stateWidth - timeWidth - 10;
  return steps.map((step) => {
    const path = cutToWidth(printable(step.path), pathWidth);
    const fill = ' '.repeat(pathWidth - displayWidth(path));
    const state = `${step.status.padEnd(stateWidth)}  ${timeOf(step).padStart(timeWidth)}`;
    return `  ${mark(step.status, style)} ${path}${fill}  ${style.dim(state)}  ${detailOf(step, style, room)}`.trimEnd();
  });
}

/** What is said of a step keeps so much of a terminal. */
const MIN_DETAIL = 20;
/** Where no terminal cuts it. */
const MAX_DETAIL = 200;

function detailOf(step: StepDocument, style: Style, room: number): string {
  const columns = Math.min(MAX_DETAIL, room);
  if (columns < 4) return '';
  const attempt = step.attempts > 1 ? `attempt ${step.attempts}  ` : '';
  if (step.approvals.length > 0)
    return style.yellow(
      cutToWidth(`waits for approval ${step.approvals.join(', ')}: q workflow approvals`, columns),
    );
  const why = step.error === null ? '' : `${step.error.code}: ${printable(step.error.message)}`;
  return cutToWidth(`${attempt}${why}`.trimEnd(), columns);
}

function enforcement(run: StatusDocument): string {
  if (run.isolation === null) return 'not applied';
  const { backend, enforced, observed } = run.isolation;
  return `enforced by ${backend}: ${enforced.join(', ') || 'none'}${observed.length === 0 ? '' : `; observed: ${observed.join(', ')}`}`;
}
