import { execFile } from 'node:child_process';
import { busEnvironment } from '../../sandbox/systemd/ask.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';

export interface ToolAnswer {
  /** Null when it could not be run, or not in time; `complaint` says why. */
  readonly status: number | null;
  readonly output: string;
  /** Its first line on stderr, or the reason why it did not run. */
  readonly complaint: string;
}

/** Runs a tool of the service manager to its end. Never rejects. */
export type RunTool = (file: string, args: readonly string[], timeoutMs?: number) => Promise<ToolAnswer>;

const TIMEOUT_MS = 20_000;

export const runTool: RunTool = (file, args, timeoutMs = TIMEOUT_MS) =>
  new Promise((resolve) => {
    const env = { ...busEnvironment(process.getuid?.() ?? 0), HOME: process.env['HOME'], LC_ALL: 'C' };
    execFile(file, args, { env, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const output = stdout.trim();
      const [first = ''] = stderr.trim().split('\n');
      if (error === null) resolve({ status: 0, output, complaint: first });
      else if (typeof error.code === 'number') resolve({ status: error.code, output, complaint: first });
      else resolve({ status: null, output, complaint: reasonOf(error, file, timeoutMs) });
    });
  });

function reasonOf(
  error: Error & { code?: unknown; killed?: boolean },
  file: string,
  timeoutMs: number,
): string {
  if (error.code === 'ENOENT') return `${file} was not found`;
  if (error.killed === true) return `${file} did not answer within ${timeoutMs / 1000} s`;
  return ensureError(error).message;
}

/** The same for a tool that has to succeed. Throws SERVICE_FAILED with what it said, and `hint`. */
export async function mustRun(
  run: RunTool,
  [file = '', ...args]: readonly string[],
  hint: string,
  timeoutMs?: number,
): Promise<void> {
  const { status, complaint } = await run(file, args, timeoutMs);
  if (status === 0) return;
  throw new WorkflowError(
    'SERVICE_FAILED',
    `${[file, ...args].join(' ')} failed: ${complaint || `exit status ${status}`}`,
    { hint },
  );
}
