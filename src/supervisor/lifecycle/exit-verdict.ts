import type { Breach } from '../../../sandbox/isolation.ts';
import type { RunEvent } from '../../engine/events.ts';
import type { ErrorCode } from '../../errors/table.ts';
import type { EndRequest } from './live-instance.ts';

/** What is known when the process of an instance is gone and its scope is empty. */
export interface ExitFacts {
  /** The journal's own end of the run, when the process got that far. */
  readonly hasEnded: boolean;
  readonly isWaiting: boolean;
  readonly endRequest: EndRequest | null;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** The kernel killed the instance's own process for memory, not only a step's. */
  readonly isOutOfMemory: boolean;
  /** V8 gave up: the text it prints was found in the process's log. */
  readonly isHeapExhausted: boolean;
  /** The last message in the process's log, or empty: why it died, in its own words. */
  readonly lastWords: string;
  /** The process never got to its work, and the kernel refused it threads. */
  readonly isRefusedProcesses: boolean;
  readonly processLimit: number;
  readonly memoryLimitBytes: number;
  readonly memoryPeakBytes: number;
  /** What was seen when an observed limit was passed. */
  readonly breach: Breach | null;
  readonly executionLimitMs: number;
  /** Incarnations in a row, this one included, that completed no step. */
  readonly fruitless: number;
  readonly runningSteps: readonly string[];
  readonly startFailure: string | null;
  /** In [0, 1): spreads the resumes of instances that crash together. */
  readonly chance: number;
}

export type Verdict =
  | { readonly kind: 'ended' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'resume'; readonly delayMs: number }
  /** The supervisor writes the end itself, and before it the limit that was met, if one was. */
  | { readonly kind: 'close'; readonly event: RunEnd; readonly hit: LimitHit | null };

type RunEnd = Extract<RunEvent, { type: 'run.ended' }>;
type LimitHit = Extract<RunEvent, { type: 'limit.hit' }>;

/** So many starts in a row without a completed step are a crash loop. */
const MAX_FRUITLESS = 5;
const RESUME_DELAY_MS = 100;

export const KILL_SWITCH_ENDED = 'A kill switch ended the run.';

/** Decides what the end of an instance's process means. Pure; the first matching line wins. */
export function judgeExit(facts: ExitFacts): Verdict {
  if (facts.hasEnded) return { kind: 'ended' };
  if (facts.endRequest?.kind === 'killed')
    return close('killed', `killed by ${facts.endRequest.by}`, 'KILLED', 'The instance was killed.', {});
  if (facts.endRequest?.kind === 'kill_switch')
    return close('killed', `kill_switch: ${facts.endRequest.by}`, 'KILL_SWITCH', KILL_SWITCH_ENDED, {});
  if (facts.endRequest?.kind === 'time_limit') {
    const allowed = facts.executionLimitMs / 1000;
    return close(
      'timed_out',
      `time: ${allowed} s limit`,
      'TIME_LIMIT',
      `The run took longer than ${allowed} s.`,
      { limit_s: allowed },
      hit('time', allowed, allowed),
    );
  }
  if (facts.endRequest?.kind === 'limit' && facts.endRequest.by === 'processes') return tooMany(facts);
  if (facts.endRequest?.kind === 'limit' && facts.endRequest.by === 'disk') return tooLarge(facts);
  if (facts.isRefusedProcesses) {
    const message = `The instance process could not start: the limit of ${facts.processLimit} processes and threads is too low for it.`;
    const reason = `processes: ${facts.processLimit} limit, too low for the instance process`;
    const met = hit('processes', facts.processLimit, facts.processLimit);
    return close('failed', reason, 'PROCESS_LIMIT', message, { max_processes: facts.processLimit }, met);
  }
  if (facts.isOutOfMemory || facts.isHeapExhausted || facts.endRequest?.kind === 'limit')
    return outOfMemory(facts);
  if (facts.isWaiting) return { kind: 'waiting' };
  if (facts.fruitless >= MAX_FRUITLESS) {
    const how = facts.startFailure ?? describeExit(facts);
    const code: ErrorCode = facts.startFailure === null ? 'CRASH_LOOP' : 'INSTANCE_START';
    return close(
      'failed',
      `crash_loop: ${facts.fruitless} starts without a completed step, last ${how}`,
      code,
      `The instance process ended ${facts.fruitless} times without completing a step (last: ${how}).`,
      { starts: facts.fruitless },
    );
  }
  return { kind: 'resume', delayMs: resumeDelayMs(facts) };
}

/** At once after the first crash; then twice as long each time, between three and five quarters of it. */
function resumeDelayMs({ fruitless, chance }: ExitFacts): number {
  if (fruitless <= 1) return 0;
  return Math.round(RESUME_DELAY_MS * 2 ** (fruitless - 2) * (0.75 + chance / 2));
}

/** What the audit says of a verdict. */
export function verdictRecord(verdict: Verdict): Record<string, unknown> {
  return verdict.kind === 'resume'
    ? { verdict: verdict.kind, resume_in_ms: verdict.delayMs }
    : { verdict: verdict.kind };
}

function tooMany({ processLimit, breach }: ExitFacts): Verdict {
  const seen = breach?.seen ?? processLimit;
  return close(
    'failed',
    `processes: ${processLimit} limit, ${seen} seen`,
    'PROCESS_LIMIT',
    `The run had ${seen} processes and may have ${processLimit}.`,
    { max_processes: processLimit, seen },
    hit('processes', processLimit, seen),
  );
}

function tooLarge({ breach }: ExitFacts): Verdict {
  const [allowed, seen] = [breach?.allowed ?? 0, breach?.seen ?? 0];
  return close(
    'failed',
    `disk: ${toMegabytes(allowed)} MB limit, ${seenMegabytes(seen, allowed)} MB seen`,
    'DISK_LIMIT',
    `The scratch folder of the run held ${seenMegabytes(seen, allowed)} MB and may hold ${toMegabytes(allowed)} MB.`,
    { limit_bytes: allowed, peak_bytes: seen },
    hit('disk', allowed, seen),
  );
}

function outOfMemory(facts: ExitFacts): Verdict {
  const limit = toMegabytes(facts.memoryLimitBytes);
  const peak = seenMegabytes(facts.memoryPeakBytes, facts.memoryLimitBytes);
  const step = facts.runningSteps.length === 0 ? '' : `, step ${facts.runningSteps.join(', ')}`;
  const how = facts.isHeapExhausted ? 'JavaScript heap of the instance process' : 'instance process';
  return close(
    'failed',
    `oom: ${limit} MB limit, peak ${peak} MB, ${how}${step}`,
    'MEMORY_LIMIT',
    `The ${how} used up the memory limit of ${limit} MB (peak ${peak} MB).`,
    { limit_bytes: facts.memoryLimitBytes, peak_bytes: facts.memoryPeakBytes },
    hit('memory', facts.memoryLimitBytes, facts.memoryPeakBytes),
  );
}

function close(
  status: 'killed' | 'timed_out' | 'failed',
  reason: string,
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>>,
  met: LimitHit | null = null,
): Verdict {
  const event: RunEnd = { type: 'run.ended', status, reason, error: { code, message, details } };
  return { kind: 'close', event, hit: met };
}

/** A limit of the whole instance. */
function hit(limit: LimitHit['limit'], allowed: number, peak: number): LimitHit {
  return { type: 'limit.hit', path: null, limit, allowed, peak };
}

function describeExit({ exit, lastWords, endRequest }: ExitFacts): string {
  if (endRequest?.kind === 'hung') return endRequest.by;
  if (exit === null) return 'an unknown way';
  if (exit.signal !== null) return `signal ${exit.signal}`;
  return `exit code ${exit.code}${lastWords === '' ? '' : `: ${lastWords}`}`;
}

function toMegabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** What passed a limit by less than half a megabyte must not read as the limit itself. */
function seenMegabytes(bytes: number, limit: number): number {
  return bytes > limit ? Math.ceil(bytes / 1024 / 1024) : toMegabytes(bytes);
}
