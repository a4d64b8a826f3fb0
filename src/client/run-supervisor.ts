import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { DAEMON_ENVIRONMENT, daemonCommand } from '../protocol/daemon-command.ts';
import type { IsolationRequest } from '../protocol/isolation-request.ts';
import { isolationWords } from './start-supervisor.ts';

/** Runs the daemon as our child in the foreground, passes signals on, and answers its exit status. */
export function runSupervisorHere(isolation?: IsolationRequest): Promise<number> {
  const [file, ...args] = daemonCommand(isolationWords(isolation));
  const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...DAEMON_ENVIRONMENT } });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
