import { execFile } from 'node:child_process';
import { systemCode } from '../errors/workflow-error.ts';
import type { Diagnostics } from './diagnostics.ts';
import { createTurns } from './turns.ts';

/** What the service manager hears of us, sd_notify(3). Nothing here throws: a manager that cannot be told is no reason to end. */
export interface ServiceLink {
  /** We answer. From now on the watchdog is fed, if there is one, with `status` as the line that systemctl shows. */
  ready(status: () => string): Promise<void>;
  /** Policies are being read anew; `ready` ends it. */
  reloading(): Promise<void>;
  stopping(status: string): Promise<void>;
  /** Feeds the watchdog no more. */
  close(): void;
}

/** systemd-notify took 0.3 s on an emulated machine. */
const TIMEOUT_MS = 10_000;
const NOBODY: ServiceLink = {
  ready: async () => undefined,
  reloading: async () => undefined,
  stopping: async () => undefined,
  close: () => undefined,
};

/**
 * The link to the manager that `env` names; does nothing where there is none. Node cannot send to a unix datagram
 * socket, so systemd-notify does it, as a child; hence `NotifyAccess=all` in the unit.
 */
export function openServiceLink(env: NodeJS.ProcessEnv, pid: number, log: Diagnostics): ServiceLink {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return NOBODY;
  const childEnv = { PATH: env['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket };
  const turns = createTurns();
  let isMissing = false;
  let hasFailed = false;
  let timer: NodeJS.Timeout | undefined;

  const tell = (timeout: number, ...words: readonly string[]): Promise<void> =>
    turns(
      () =>
        new Promise((resolve) => {
          if (isMissing) {
            resolve();
            return;
          }
          const options = { env: childEnv, timeout, killSignal: 'SIGKILL' } as const;
          execFile('systemd-notify', words, options, (error, _stdout, stderr) => {
            if (error !== null) complain(systemCode(error), stderr.trim() || error.message);
            else hasFailed = false;
            resolve();
          });
        }),
    );
  const complain = (code: string | undefined, cause: string): void => {
    isMissing = code === 'ENOENT';
    // Once, not with every ping.
    if (!hasFailed) log.warn('the service manager could not be told how we are', { cause });
    hasFailed = true;
  };
  /** From a timer of the event loop and from nowhere else: a loop that is blocked must not look alive. */
  const feed = (intervalMs: number, status: () => string): void => {
    let isBusy = false;
    timer = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      const told = tell(Math.min(intervalMs, TIMEOUT_MS), 'WATCHDOG=1', `STATUS=${status()}`);
      void told.then(() => {
        isBusy = false;
      });
    }, intervalMs);
    timer.unref();
  };

  return {
    ready: async (status) => {
      await tell(TIMEOUT_MS, 'READY=1', `STATUS=${status()}`);
      const intervalMs = pingIntervalMs(env, pid);
      if (intervalMs !== null && timer === undefined) feed(intervalMs, status);
    },
    reloading: () =>
      tell(
        TIMEOUT_MS,
        'RELOADING=1',
        `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
        'STATUS=reading policies',
      ),
    stopping: (status) => tell(TIMEOUT_MS, 'STOPPING=1', `STATUS=${status}`),
    close: () => clearInterval(timer),
  };
}

/** Half of the time that the manager waits for a ping; null when it waits for none, or for another process. */
export function pingIntervalMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const microseconds = Number(env['WATCHDOG_USEC']);
  const isForUs = (env['WATCHDOG_PID'] ?? String(pid)) === String(pid);
  return isForUs && Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 2000 : null;
}
