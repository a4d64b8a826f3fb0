import type { Usage } from '../../sandbox/isolation.ts';
import type { ErrorCode } from '../errors/table.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { ChildExit } from './child.ts';

/** What is known about a command that ended badly. */
export interface FailureFacts {
  readonly skill: string;
  readonly command: string;
  /** True when the launcher, not the kernel, started the command: then 126 and 127 may be its words. */
  readonly isWrapped: boolean;
  readonly exit: ChildExit;
  readonly stderrHead: string;
  readonly stderrTail: string;
  readonly before: Usage;
  readonly after: Usage;
  readonly memoryLimitBytes: number | null;
  readonly processLimit: number | null;
}

/** True when the kernel killed something of the scope for memory since `before`. */
export function wasOutOfMemory(before: Usage, after: Usage): boolean {
  return after.oomKills > before.oomKills;
}

/** The error of a command that ended with a signal or a non-zero code: which, why, and the end of its stderr. */
export function commandFailure(facts: FailureFacts): WorkflowError {
  const { exit, before, after, skill } = facts;
  const details = {
    exit_code: exit.code,
    signal: exit.signal,
    stderr: facts.stderrTail,
    ...(after.forksRefused > before.forksRefused
      ? {
          limit: 'PROCESS_LIMIT',
          forks_refused: after.forksRefused - before.forksRefused,
          max_processes: facts.processLimit,
        }
      : {}),
  };
  const error = (code: ErrorCode, message: string, more: Record<string, unknown> = {}) =>
    new WorkflowError(code, `skill "${skill}": ${message}`, { details: { ...details, ...more } });
  if (wasOutOfMemory(before, after)) return outOfMemory(facts, error);
  const start = launcherTrouble(facts);
  if (start !== null) return error('SPAWN_FAILED', `the command ${facts.command} ${start}`);
  const refused =
    after.forksRefused > before.forksRefused ? '; starts of processes were refused (max_processes)' : '';
  const heap = isHeapAbort(facts)
    ? '; Node.js ran out of its own heap (--max-old-space-size), not out of the limit'
    : '';
  const words = lastLine(facts.stderrTail);
  const said = words === '' ? '' : `: ${words}`;
  if (exit.signal !== null) {
    return error(
      'SIGNALLED',
      `the command was ended by ${exit.signal}${heap}${refused}${said}`,
      heap === '' ? {} : { heap: 'node' },
    );
  }
  return error(
    'EXIT_NONZERO',
    `the command ended with exit code ${exit.code}${heap}${refused}${said}`,
    heap === '' ? {} : { heap: 'node' },
  );
}

type MakeError = (code: ErrorCode, message: string, more?: Record<string, unknown>) => WorkflowError;

function outOfMemory(facts: FailureFacts, error: MakeError): WorkflowError {
  const peak = facts.after.memoryPeakBytes;
  const limit = facts.memoryLimitBytes;
  const of = limit === null ? '' : ` of ${megabytes(limit)}`;
  return error('STEP_OOM', `was killed for memory: peak ${megabytes(peak)}${of}`, {
    peak_bytes: peak,
    limit_bytes: limit,
    oom_kills: facts.after.oomKills - facts.before.oomKills,
  });
}

/** What the launcher's own `exec` said, in the words of dash and bash; a command's own 127 says something else. */
function launcherTrouble(facts: FailureFacts): string | null {
  if (!facts.isWrapped || (facts.exit.code !== 126 && facts.exit.code !== 127)) return null;
  if (!/\bexec: .*(not found|denied|cannot execute|format error)/i.test(facts.stderrTail)) return null;
  return facts.exit.code === 127 ? 'was not found' : 'is not executable';
}

function isHeapAbort(facts: FailureFacts): boolean {
  const isAbort = facts.exit.signal === 'SIGABRT' || facts.exit.code === 134;
  return isAbort && `${facts.stderrHead}${facts.stderrTail}`.includes('JavaScript heap out of memory');
}

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line.length > 200 ? `${line.slice(0, 197)}…` : line;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MB`;
}
