import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { programFile } from '../protocol/install.ts';

/** Runs the daemon as our child in the foreground, passes signals on, and answers its exit status. */
export function runSupervisorHere(): Promise<number> {
  const child = spawn(process.execPath, ['--no-warnings', programFile('supervisor/main')], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
