import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';

/** What a terminal sends to its whole foreground group: the program has it already, and says what happens. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;
/** What is sent to one process: the program has to be told. */
const TO_US = ['SIGTERM', 'SIGHUP'] as const;

/** Runs a program in our place, with our standard streams, and answers the exit status that a shell would see. */
export async function handOver(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const ignore = (): void => undefined;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of FROM_TERMINAL) process.on(signal, ignore);
  for (const signal of TO_US) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) =>
        resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
  } catch (thrown) {
    const cause = ensureError(thrown);
    throw new WorkflowError('SPAWN_FAILED', `${program} could not be started: ${cause.message}`, { cause });
  } finally {
    for (const signal of FROM_TERMINAL) process.off(signal, ignore);
    for (const signal of TO_US) process.off(signal, forward);
  }
}
