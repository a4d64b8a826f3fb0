import type { Usage } from '../../sandbox/isolation.ts';
import type { Launch } from '../../sandbox/launcher/launch.ts';
import { type LaunchFault, launchFault } from '../../sandbox/launcher/status.ts';
import type { ErrorCode } from '../errors/table.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { ChildExit } from './child.ts';
import { lastWords } from './last-words.ts';

/** What is known about a command that ended badly. */
export interface FailureFacts {
  readonly skill: string;
  readonly command: string;
  readonly starter: Launch['starter'];
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
  const fault = sandboxFault(facts);
  if (fault?.layer === null) return error('SPAWN_FAILED', `the command ${facts.command} ${fault.why}`);
  if (fault !== null)
    return error('SANDBOX_FAILED', `the sandbox could not be made (${fault.layer}): ${fault.why}`, {
      layer: fault.layer,
    });
  const refused =
    after.forksRefused > before.forksRefused ? '; starts of processes were refused (max_processes)' : '';
  const heap = isHeapAbort(facts)
    ? '; Node.js ran out of its own heap (--max-old-space-size), not out of the limit'
    : '';
  const words = lastWords(facts.stderrTail);
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

/** Of a limit: one that was met by a step alone has a peak above it, the host of the run takes little. */
const SURELY_ALONE = 0.6;

type MakeError = (code: ErrorCode, message: string, more?: Record<string, unknown>) => WorkflowError;

function outOfMemory(facts: FailureFacts, error: MakeError): WorkflowError {
  const peak = facts.after.memoryPeakBytes;
  const limit = facts.memoryLimitBytes;
  const of = limit === null ? '' : ` of ${megabytes(limit)}`;
  // A limit of the run is met by all its steps together.
  const others =
    limit !== null && peak < limit * SURELY_ALONE ? ', the rest was taken by other steps of the run' : '';
  return error('STEP_OOM', `was killed for memory: peak ${megabytes(peak)}${of}${others}`, {
    peak_bytes: peak,
    limit_bytes: limit,
    oom_kills: facts.after.oomKills - facts.before.oomKills,
  });
}

/**
 * Why the command never ran. bwrap says whether it did; the shell and setpriv end like a command of their name would,
 * so there their words count, at the very beginning of stderr.
 */
function sandboxFault(facts: FailureFacts): LaunchFault | null {
  const { exit, starter, stderrHead, command } = facts;
  if (!exit.hasRun) return launchFault(stderrHead);
  const isOurs = /^(setpriv|q-workflow-shim): /.test(stderrHead) && !command.endsWith('/setpriv');
  return starter !== 'bubblewrap' && isOurs && exit.signal === null ? launchFault(stderrHead) : null;
}

/** What a shell of ours says, as dash and bash do, when the command cannot be executed; of launchers it names another file. */
function launcherTrouble({ exit, stderrTail, command }: FailureFacts): string | null {
  if (exit.code !== 126 && exit.code !== 127) return null;
  const isOurs = stderrTail
    .split('\n')
    .some((line) => line.startsWith('q-workflow-shim: ') && line.includes(`${command}: `));
  if (!isOurs) return null;
  return exit.code === 127 ? 'was not found' : 'is not executable';
}

function isHeapAbort(facts: FailureFacts): boolean {
  const isAbort = facts.exit.signal === 'SIGABRT' || facts.exit.code === 134;
  return isAbort && `${facts.stderrHead}${facts.stderrTail}`.includes('JavaScript heap out of memory');
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MB`;
}
