import { type FSWatcher, watch } from 'node:fs';
import type { Client } from '../client/client.ts';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { LogCursor, type LogLine, listStepLogs, type StepLogFile } from './log-files.ts';
import { printable, styleFor } from './style.ts';

export interface LogOptions {
  readonly isFollowing: boolean;
  readonly step: string | null;
  readonly since: string | null;
  readonly isRaw: boolean;
  readonly isJson: boolean;
}

/** How often a followed folder is looked at besides the kernel's notices. */
const LOOK_MS = 500;

/**
 * Prints what the steps of an instance wrote, oldest file first; with `isFollowing` also what comes, until the
 * instance has ended. Throws STEP_NOT_FOUND when the named step has written no log, once nothing more can come.
 */
export async function printLogs(client: Client, given: string, options: LogOptions): Promise<void> {
  const { id, folder, hasEnded } = await client.call('instance.logs', { id: given });
  const since = options.since === null ? 0 : parseSince(options.since, Date.now());
  const cursors = new Map<string, LogCursor>();
  const print = async (log: StepLogFile, line: LogLine): Promise<void> => {
    if (!process.stdout.write(format(log, line, options))) await drained();
  };
  const pass: Pass = async (isOver) => {
    for (const log of listStepLogs(folder)) {
      if (options.step !== null && log.path !== options.step && !log.path.startsWith(`${options.step}/`))
        continue;
      const cursor = cursors.get(log.file) ?? new LogCursor(folder, log.file);
      cursors.set(log.file, cursor);
      for (const line of cursor.lines(since)) await print(log, line);
      if (isOver(log)) for (const line of cursor.rest()) await print(log, line);
    }
  };
  if (options.isFollowing && !hasEnded) await follow(client, id, folder, pass);
  await pass(() => true);
  if (options.step !== null && cursors.size === 0)
    throw new WorkflowError('STEP_NOT_FOUND', `no step of ${id} at "${options.step}" has written a log`);
}

/** Prints what is new; a last line without an end only of logs to which nothing more comes. */
type Pass = (isOver: (log: StepLogFile) => boolean) => Promise<void>;

async function follow(client: Client, id: string, folder: string, pass: Pass): Promise<void> {
  const over = new Set<string>();
  const keyOf = (path: string, attempt: number): string => `${path}#${attempt}`;
  const failed = Promise.withResolvers<never>();
  let running = Promise.resolve();
  const look = (): void => {
    running = running.then(() => pass((log) => over.has(keyOf(log.path, log.attempt))));
    running.catch(failed.reject);
  };
  const watcher = tryWatch(folder, look);
  const timer = setInterval(look, LOOK_MS);
  const ended = new Promise<void>((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve();
      if (notification.method !== 'instance.step' || notification.params.step.ended_at === null) return;
      over.add(keyOf(notification.params.step.path, notification.params.step.attempts));
      look();
    });
    void client.closed.then(resolve);
  });
  const now = await client.call('instance.watch', { id });
  look();
  try {
    if (now.ended_at === null) await Promise.race([ended, failed.promise]);
  } finally {
    watcher?.close();
    clearInterval(timer);
  }
  await running;
}

/** The kernel's notices of a folder; none while the instance is queued and has no folder: the timer looks then. */
function tryWatch(folder: string, look: () => void): FSWatcher | null {
  try {
    return watch(folder, look);
  } catch (error) {
    const code = systemCode(error);
    // ENOSPC and EMFILE: the user's inotify watches are used up.
    if (code !== 'ENOENT' && code !== 'ENOSPC' && code !== 'EMFILE') throw error;
    return null;
  }
}

function format(log: StepLogFile, line: LogLine, options: LogOptions): string {
  const stream = line.stream === 'o' ? 'stdout' : 'stderr';
  if (options.isJson)
    return `${JSON.stringify({ time: new Date(line.at).toISOString(), step: log.path, attempt: log.attempt, stream, text: line.text })}\n`;
  const style = styleFor(process.stdout);
  const text = options.isRaw ? line.text : printable(line.text);
  const name = options.step === null ? `${style.cyan(log.path)} ${style.dim('│')} ` : '';
  return `${name}${line.stream === 'e' ? style.yellow(text) : text}\n`;
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', () => resolve()));
}

/** `90s`, `10m`, `2h`, `1d` before now, or a time that Date reads. Throws USAGE for anything else. */
function parseSince(text: string, now: number): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  if (match !== null && unit !== undefined) return now - Number(match[1]) * unit;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new WorkflowError(
      'USAGE',
      `--since takes 90s, 10m, 2h, 1d or a time, and "${text}" is none of these`,
    );
  return time;
}
