import type { SupervisorStatus } from '../../protocol/control.ts';
import { clipToWidth, displayWidth } from '../text/display-width.ts';
import type { Screen } from '../text/screen.ts';
import { ago, bytes, duration, plural, printable } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';
import type { ShownService, ShownStatus } from './supervisor-service.ts';

/** A wider text is hard to read, also where there is no terminal. */
const MAX_WIDTH = 80;
const INDENT = 13;
/** Of a long queue the first are shown. */
const MAX_QUEUE = 10;

export function supervisorLine(status: SupervisorStatus): string {
  return [
    `supervisor ${status.pid} runs, limits by ${status.isolation.backend}, home ${status.home}`,
    auditLine(status, 'audit log signed by '),
  ].join('\n');
}

/** A path that does not fit into a line is cut in its middle (`--json` has it whole). */
export function supervisorText(status: ShownStatus, { style, width, now }: Screen): string {
  if (isOlder(status)) return `${supervisorLine(status)}\nversion ${status.version}: restart it to see more`;
  const { isolation, capacity, store_latency: store, loop_delay: loop, disk, approvals } = status;
  const counts = Object.entries(status.instances).map(([state, count]) => `${count} ${state}`);
  const up = duration(status.uptime_seconds * 1000);
  const columns = Math.min(MAX_WIDTH, width);
  const labelled = (label: string, text: string): string[] => {
    const room = columns - displayWidth(label);
    const words = printable(text).split(' ');
    return wrapped(label, words.map((word) => cutInMiddle(word, room)).join(' '), columns);
  };
  const row = (name: string, text: string): string[] => labelled(`  ${name.padEnd(INDENT - 4)}  `, text);
  const warning = (text: string): string[] => labelled(`  ${style.yellow('!')} `, text);
  return [
    ...labelled(
      `${style.bold('supervisor')} `,
      `${status.version}  pid ${status.pid}, up ${up}, memory ${bytes(status.memory_bytes)}`,
    ),
    ...row('home', status.home),
    ...(status.service === null ? [] : row('service', serviceText(status.service))),
    ...row(
      'isolation',
      `${isolation.backend}: enforced ${isolation.enforced.join(', ') || 'nothing'}; observed ${isolation.observed.join(', ') || 'nothing'}`,
    ),
    ...status.missing.flatMap(warning),
    ...status.problems.flatMap(warning),
    ...row('instances', `${counts.join(', ') || 'none'}${awaitedOf(status)}`),
    ...row(
      'promised',
      `memory ${bytes(capacity.memory_promised_bytes)} of ${bytes(capacity.memory_bytes)}, CPU ${cores(capacity.cpu_promised_percent)} of ${cores(capacity.cpu_percent)} cores`,
    ),
    ...row(
      'store',
      `${store === null ? 'nothing written lately' : `commit p50 ${figure(store.p50_ms)}, p99 ${figure(store.p99_ms)} (${plural(store.samples, 'write')})`}; ${status.store_pending} pending`,
    ),
    ...row('loop', `delay p99 ${figure(loop.p99_ms)}, max ${figure(loop.max_ms)}`),
    ...(disk === null
      ? []
      : row(
          'disk',
          `${bytes(disk.free_bytes)} of ${bytes(disk.total_bytes)} free, ${bytes(disk.reserve_bytes)} kept`,
        )),
    ...row(
      'approvals',
      approvals === null
        ? 'not known'
        : approvals.pending === 0
          ? 'none pending'
          : `${approvals.pending} pending, the oldest ${ago(approvals.oldest, now)}`,
    ),
    ...environmentOf(status).flatMap((name) => row('policies', `of the environment ${name}`)),
    ...row('notify', notifyText(status)),
    ...row('audit', auditLine(status)),
    ...status.kill_switches.flatMap(({ scope, by, reason, tripped_at }) =>
      row('kill', `${scope} tripped ${ago(tripped_at, now)} by ${by}: ${reason}`),
    ),
    ...status.queue
      .slice(0, MAX_QUEUE)
      .flatMap(({ id, workflow, priority, waits_for }) =>
        row(
          'queued',
          `${id} ${workflow}${priority === 0 ? '' : ` (priority ${priority})`} waits for ${waits_for}`,
        ),
      ),
    ...(status.queue.length > MAX_QUEUE ? row('', `and ${status.queue.length - MAX_QUEUE} more`) : []),
    ...status.next_fires.flatMap(({ workflow, at, local, timezone }) =>
      row(
        'next',
        `${local.slice(0, 19).replace('T', ' ')} ${timezone}  in ${duration(Date.parse(at) - now)}  ${workflow}`,
      ),
    ),
  ].join('\n');
}

function auditLine({ audit }: Pick<SupervisorStatus, 'audit'>, before = ''): string {
  return audit === null ? 'the audit log cannot be read' : `${before}${audit.key}, anchor ${audit.anchor}`;
}

/** One of an earlier version, which is to be restarted after an upgrade, tells less. */
function isOlder(status: Partial<ShownStatus>): boolean {
  return status.capacity === undefined;
}

/** Who has not come back in 15 s is ended and resumed. */
function awaitedOf({ instances_awaited: awaited = 0 }: Partial<ShownStatus>): string {
  return awaited === 0 ? '' : `; ${awaited} not back from before the start yet`;
}

/** Most have none of their own. */
function environmentOf({ environment = 'default' }: Partial<ShownStatus>): string[] {
  return environment === 'default' ? [] : [environment];
}

function notifyText({ notifications: { targets, pending, delivered, failed } }: ShownStatus): string {
  if (targets.length === 0) return 'nobody (docs/operations.md)';
  return `${targets.join(', ')}: ${delivered} delivered, ${failed} failed, ${pending} pending`;
}

/** What was measured, to two figures or whole: 0.34 ms, 8.3 ms, 80 ms. */
function figure(ms: number): string {
  return ms < 10 ? `${Number(ms.toPrecision(2))} ms` : duration(ms);
}

function cores(percent: number): string {
  return String(Math.round(percent / 10) / 10);
}

function serviceText({ manager, scope, unit, enabled }: ShownService): string {
  const comes = { true: 'enabled', false: 'not enabled', null: 'enabled or not: nobody says' }[`${enabled}`];
  return `${unit} (${manager}, ${scope}), ${comes}`;
}

function cutInMiddle(word: string, columns: number): string {
  if (displayWidth(word) <= columns) return word;
  const half = Math.floor((columns - 1) / 2);
  const letters = Array.from(word);
  let end = '';
  for (let index = letters.length - 1; displayWidth(`${letters[index]}${end}`) <= half; index -= 1)
    end = `${letters[index]}${end}`;
  return `${clipToWidth(word, half)}…${end}`;
}
