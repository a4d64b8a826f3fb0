import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { programFile } from '../protocol/install.ts';
import type { IsolationRequest } from '../protocol/isolation-request.ts';
import { isolationWords } from './start-supervisor.ts';

/** Runs the daemon as our child in the foreground, passes signals on, and answers its exit status. */
export function runSupervisorHere(isolation?: IsolationRequest): Promise<number> {
  const words = ['--no-warnings', programFile('supervisor/main'), ...isolationWords(isolation)];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
