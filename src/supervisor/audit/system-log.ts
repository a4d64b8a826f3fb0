import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Checkpoint } from '../../audit/checkpoint.ts';
import type { Diagnostics } from '../diagnostics.ts';

/** The log of the system (journald, syslog) as a second anchor, where there is one. */
export interface SystemLog {
  /** One line; never blocks and never fails. While one is on its way, only the newest of the others is kept. */
  write(checkpoint: Checkpoint): void;
}

/** `off` keeps checkpoints out of the log of the system. */
const SWITCH = 'Q_WORKFLOW_SYSLOG';
const SOCKET = '/dev/log';
const TIMEOUT_MS = 5000;

export function openSystemLog(log: Diagnostics, env: NodeJS.ProcessEnv): SystemLog {
  if (env[SWITCH] === 'off' || !existsSync(SOCKET)) return { write: () => undefined };
  let isBusy = false;
  let isGivenUp = false;
  let next: Checkpoint | null = null;

  const write = (checkpoint: Checkpoint): void => {
    if (isGivenUp) return;
    if (isBusy) {
      next = checkpoint;
      return;
    }
    isBusy = true;
    const line = `${checkpoint.body} ${checkpoint.signature}`;
    execFile('logger', ['-t', 'q-workflow-audit', '--', line], { timeout: TIMEOUT_MS }, (error) => {
      isBusy = false;
      const waiting = next;
      next = null;
      if (error === null) {
        if (waiting !== null) write(waiting);
        return;
      }
      isGivenUp = true;
      log.warn('checkpoints do not go to the log of the system', { cause: error.message });
    });
  };
  return { write };
}
