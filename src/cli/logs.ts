import { type FSWatcher, watch } from 'node:fs';
import type { Client } from '../client/client.ts';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';
import type { StepDocument } from '../protocol/control.ts';
import { LogCursor, type LogGap, type LogLine } from './log-cursor.ts';
import { listLogs, type StepLogFile } from './log-files.ts';
import { parseMoment } from './moment.ts';
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
  const since = options.since === null ? 0 : parseMoment('--since', options.since, Date.now());
  const open = new Map<string, LogCursor>();
  const done = new Set<string>();
  const print = async (log: StepLogFile, item: LogLine | LogGap): Promise<void> => {
    if (!process.stdout.write(format(log, item, options))) await drained();
  };
  const pass: Pass = async (isOver) => {
    // Once for all logs, and before anything is read: what is listed as whole stays so.
    const listing = listLogs(folder);
    for (const log of listing.logs) {
      if (done.has(log.file) || !isWanted(log, options.step)) continue;
      const cursor = open.get(log.file) ?? new LogCursor(folder, log.file);
      open.set(log.file, cursor);
      for (const item of cursor.read(listing, since)) await print(log, item);
      if (!isOver(log)) continue;
      for (const line of cursor.rest()) await print(log, line);
      cursor.close();
      open.delete(log.file);
      done.add(log.file);
    }
  };
  try {
    if (options.isFollowing && !hasEnded) await follow(client, id, folder, pass);
    await pass(() => true);
  } finally {
    for (const cursor of open.values()) cursor.close();
  }
  if (options.step !== null && done.size === 0)
    throw new WorkflowError('STEP_NOT_FOUND', `no step of ${id} at "${options.step}" has written a log`);
}

function isWanted(log: StepLogFile, step: string | null): boolean {
  return step === null || log.path === step || log.path.startsWith(`${step}/`);
}

/** Prints what is new. To the logs that are over by `isOver` nothing more comes: their last line may lack its end. */
type Pass = (isOver: (log: StepLogFile) => boolean) => Promise<void>;

async function follow(client: Client, id: string, folder: string, pass: Pass): Promise<void> {
  const over = new Set<string>();
  const keyOf = (path: string, attempt: number): string => `${path}#${attempt}`;
  const note = (step: StepDocument): void => {
    if (step.ended_at !== null) over.add(keyOf(step.path, step.attempts));
  };
  const looks = repeated(async () => {
    const known = new Set(over);
    await pass((log) => known.has(keyOf(log.path, log.attempt)));
  });
  const watcher = tryWatch(folder, looks.ask);
  const timer = setInterval(looks.ask, LOOK_MS);
  const ended = new Promise<void>((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve();
      if (notification.method !== 'instance.step' || notification.params.step.ended_at === null) return;
      note(notification.params.step);
      looks.ask();
    });
    void client.closed.then(resolve);
  });
  try {
    const now = await client.call('instance.watch', { id });
    for (const step of now.steps) note(step);
    looks.ask();
    if (now.ended_at === null) await Promise.race([ended, looks.failed]);
  } finally {
    watcher?.close();
    clearInterval(timer);
  }
  await looks.settled();
}

interface Repeated {
  /** Once more: now, or when the one that runs is through, however often it is asked for meanwhile. */
  readonly ask: () => void;
  readonly failed: Promise<never>;
  readonly settled: () => Promise<void>;
}

function repeated(act: () => Promise<void>): Repeated {
  let isAsked = false;
  let running: Promise<void> | null = null;
  const failed = Promise.withResolvers<never>();
  // It may be awaited late, or not at all when the end comes first; then `settled` tells it.
  failed.promise.catch(() => undefined);
  const run = async (): Promise<void> => {
    while (isAsked) {
      isAsked = false;
      await act();
    }
    running = null;
  };
  return {
    ask: () => {
      isAsked = true;
      if (running !== null) return;
      running = run();
      running.catch(failed.reject);
    },
    failed: failed.promise,
    settled: async () => {
      while (running !== null) await running;
    },
  };
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

function format(log: StepLogFile, item: LogLine | LogGap, options: LogOptions): string {
  const time = new Date(item.at).toISOString();
  const { path: step, attempt } = log;
  const style = styleFor(process.stdout);
  const name = options.step === null ? `${style.cyan(step)} ${style.dim('│')} ` : '';
  if (item.kind === 'gap') {
    if (options.isJson)
      return `${JSON.stringify({ time, step, attempt, stream: null, text: null, gone_bytes: item.bytes })}\n`;
    return `${name}${style.dim(`[${item.bytes} bytes are gone: this log grew over its size and its oldest part was dropped]`)}\n`;
  }
  const stream = item.stream === 'o' ? 'stdout' : 'stderr';
  if (options.isJson) return `${JSON.stringify({ time, step, attempt, stream, text: item.text })}\n`;
  const text = options.isRaw ? item.text : printable(item.text);
  return `${name}${item.stream === 'e' ? style.yellow(text) : text}\n`;
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', () => resolve()));
}
