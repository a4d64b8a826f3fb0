import { EXIT, type ExitStatus } from '../errors/table.ts';
import type { StatusDocument } from '../protocol/control.ts';

const ENDED = ['completed', 'failed', 'stopped', 'killed', 'timed_out', 'rolled_back', 'rollback_failed'];

export function hasEndedStatus(status: string): boolean {
  return ENDED.includes(status);
}

/**
 * What a followed run answers to its caller (DESIGN section 7): the instance's own limits are 8, an uncaught failure
 * of a step is 1, also when the step met a limit of its own.
 */
export function runExitStatus(run: Pick<StatusDocument, 'status' | 'error'>): ExitStatus {
  switch (run.status) {
    case 'completed':
      return EXIT.COMPLETED;
    case 'stopped':
    case 'killed':
      return run.error?.code === 'POLICY_DENIED' ? EXIT.REFUSED : EXIT.STOPPED;
    case 'timed_out':
      return EXIT.LIMIT;
    default:
      return failureStatus(run.error);
  }
}

const RUN_LIMITS = new Set(['MEMORY_LIMIT', 'TIME_LIMIT', 'CAPACITY', 'PROCESS_LIMIT', 'DISK_LIMIT']);

const REFUSALS = new Set(['POLICY_DENIED', 'APPROVAL_DENIED', 'KILL_SWITCH', 'ISOLATION_MISSING']);

function failureStatus(error: StatusDocument['error']): ExitStatus {
  if (error === null) return EXIT.FAILED;
  if (RUN_LIMITS.has(error.code)) return EXIT.LIMIT;
  if (error.code === 'STEP_OOM' && error.details?.['limit_of'] === 'instance') return EXIT.LIMIT;
  if (REFUSALS.has(error.code)) return EXIT.REFUSED;
  if (error.code === 'INTERNAL') return EXIT.BUG;
  return EXIT.FAILED;
}
