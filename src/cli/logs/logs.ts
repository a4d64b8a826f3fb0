import { type FSWatcher, watch } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Client } from '../../client/client.ts';
import { isGoing, nextSupervisor } from '../../client/next-supervisor.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import type { StepDocument } from '../../protocol/control.ts';
import { parseMoment } from '../text/moment.ts';
import type { StepLogFile } from './log-files.ts';
import { LastItems, type LogFilterOptions, logFilter } from './log-filter.ts';
import { logFormat, openOutput } from './log-format.ts';
import type { LogItem } from './log-merge.ts';
import { LogReader } from './log-reader.ts';

export interface LogOptions extends LogFilterOptions {
  readonly isFollowing: boolean;
  readonly step: string | null;
  readonly since: string | null;
  /** Only so many lines, the last ones; of a followed run those before what comes. */
  readonly tail: number | null;
  readonly isRaw: boolean;
  readonly isJson: boolean;
}

/** How often a followed folder is looked at besides the kernel's notices. */
const LOOK_MS = 500;

/**
 * Prints what the steps of an instance wrote, all logs merged by time; with `isFollowing` also what comes, until the
 * instance has ended: also when the supervisor goes, as long as another one comes soon. Throws STEP_NOT_FOUND
 * when the named step has written no log, once nothing more can come, and SUPERVISOR_UNREACHABLE.
 */
export async function printLogs(client: Client, given: string, options: LogOptions): Promise<void> {
  // Lines are garbage at once: room for young objects that grows would only hold memory (1 GB of log: 16 MB less).
  setFlagsFromString('--semi-space-growth-factor=1');
  const since = options.since === null ? 0 : parseMoment('--since', options.since, Date.now());
  const isShown = await logFilter(options);
  const { id, folder, hasEnded } = await client.call('instance.logs', { id: given });
  const reader = new LogReader(folder, since, options);
  const out = openOutput(process.stdout);
  const format = logFormat(options);
  let last = options.tail === null ? null : new LastItems<readonly [StepLogFile, LogItem]>(options.tail);
  const pass: Pass = async (isOver) => {
    for (const [log, item] of reader.read(isOver)) {
      if (!isShown(item)) continue;
      if (last !== null) {
        last.add([log, item]);
        continue;
      }
      // Hardly ever has a line to wait, and to wait for nothing costs as much as to read the line.
      const written = out.write(format(log, item));
      if (written !== undefined) await written;
    }
    for (const [log, item] of last?.take() ?? []) await out.write(format(log, item));
    last = null;
    await out.flush();
  };
  try {
    if (options.isFollowing && !hasEnded) await follow(client, id, folder, pass);
    await pass(() => true);
  } finally {
    reader.close();
  }
  if (options.step !== null && !reader.hasFound)
    throw new WorkflowError(
      'STEP_NOT_FOUND',
      `no step of ${id} at "${options.step}" has written a log${didYouMean(nearest(options.step, reader.paths()))}`,
      { hint: `Run q workflow status ${id} to see its steps.` },
    );
}

/** Prints what is new. To the logs that are over by `isOver` nothing more comes: their last line may lack its end. */
type Pass = (isOver: (log: StepLogFile) => boolean) => Promise<void>;

async function follow(client: Client, id: string, folder: string, pass: Pass): Promise<void> {
  const over = new Set<string>();
  const keyOf = (path: string, attempt: number): string => `${path}#${attempt}`;
  const looks = repeated(async () => {
    const known = new Set(over);
    await pass((log) => known.has(keyOf(log.path, log.attempt)));
  });
  const ended = (step: StepDocument): void => {
    over.add(keyOf(step.path, step.attempts));
    looks.ask();
  };
  const watcher = tryWatch(folder, looks.ask);
  const timer = setInterval(looks.ask, LOOK_MS);
  let current = client;
  try {
    while (!(await Promise.race([hasEndedBy(current, id, ended), looks.failed]))) {
      if (current !== client) current.close();
      // What the run writes meanwhile is shown: it is in files.
      const next = nextSupervisor({
        message: `the supervisor went away while ${id} was running, and none has come since; the run goes on`,
        hint: `Run q workflow supervisor start, then q workflow logs ${id} -f.`,
      });
      current = await Promise.race([next, looks.failed]);
    }
  } finally {
    if (current !== client) current.close();
    watcher?.close();
    clearInterval(timer);
  }
  await looks.settled();
}

/** Resolves true when the instance has ended, false when the connection has. `ended` hears each step that has. */
async function hasEndedBy(client: Client, id: string, ended: (step: StepDocument) => void): Promise<boolean> {
  const told = new Promise<boolean>((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve(true);
      if (notification.method !== 'instance.step' || notification.params.step.ended_at === null) return;
      ended(notification.params.step);
    });
    void client.closed.then(() => resolve(false));
  });
  try {
    const now = await client.call('instance.watch', { id });
    for (const step of now.steps) if (step.ended_at !== null) ended(step);
    return now.ended_at !== null || (await told);
  } catch (error) {
    if (isGoing(error)) return false;
    throw error;
  }
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
