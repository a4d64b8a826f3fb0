import type { StatusDocument } from '../../protocol/control.ts';
import type { DrillCheck, KillDocument } from '../../protocol/guard-documents.ts';
import { CANARY_PROCESSES } from './kill-canary.ts';

/** What was seen of a canary after its switch was tripped. */
export interface DrillFacts {
  readonly killed: Pick<KillDocument, 'carried_out_by' | 'survivors' | 'instances' | 'ms'>;
  /** Processes that this command saw itself, and when. */
  readonly left: number;
  readonly msUntilEmpty: number;
  /** Null when the run did not end in time. */
  readonly end: Pick<StatusDocument, 'status' | 'reason' | 'error'> | null;
  /** Answers to what must be refused; a null code was allowed. */
  readonly resume: Answer;
  readonly restart: Answer;
  readonly permit: Answer;
  /** Starts of its process in all. */
  readonly starts: number;
  readonly bytesAtKill: number;
  /** Written since. */
  readonly bytesLater: number;
  readonly isRearmed: boolean;
}

export interface Answer {
  readonly code: string | null;
  readonly reason: string;
}

/** That there was something to kill: nothing is proven by the end of an empty tree. */
export function checkThere(processes: number, hasEnded: boolean): DrillCheck {
  const there = `${processes} processes ran, ${CANARY_PROCESSES} or more should`;
  const isThere = processes >= CANARY_PROCESSES && !hasEnded;
  return check('processes', isThere, hasEnded ? 'the canary ended before it was killed' : there);
}

/** What a drill proves, line by line. */
export function checkKill(facts: DrillFacts): DrillCheck[] {
  const { killed, left, msUntilEmpty, end, starts, bytesAtKill, bytesLater, isRearmed } = facts;
  const isKilled = end?.status === 'killed' && end.error?.code === 'KILL_SWITCH';
  return [
    check('carried out', killed.carried_out_by === 'supervisor', `by the ${killed.carried_out_by}`),
    reported(killed),
    check('seen empty', left === 0, `${left} processes left after ${msUntilEmpty} ms, by an own look`),
    check(
      'run ended',
      isKilled,
      end === null ? 'it did not end in time' : `${end.status}: ${end.reason ?? ''}`,
    ),
    refused('resume refused', facts.resume),
    refused('start of its step refused', facts.restart),
    refused('permit refused', facts.permit),
    check(
      'nothing started',
      starts === 1,
      `its process was started ${starts === 1 ? 'once' : `${starts} times`}`,
    ),
    check(
      'nothing written',
      bytesAtKill > 0 && bytesLater === 0,
      `${bytesLater} bytes after the kill, ${bytesAtKill} before`,
    ),
    check('re-armed', isRearmed, isRearmed ? 'its switch is armed again' : 'its switch is tripped still'),
  ];
}

function reported({ survivors, instances, ms }: DrillFacts['killed']): DrillCheck {
  const failures = instances.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const found = instances.reduce((sum, each) => sum + each.found, 0);
  const detail = `${found} found, ${survivors} left after ${ms} ms, by the report`;
  return check('reported empty', survivors === 0 && failures.length === 0, [detail, ...failures].join('; '));
}

function refused(name: string, { code, reason }: Answer): DrillCheck {
  return check(name, code === 'KILL_SWITCH', code === null ? 'it was allowed' : `${code}: ${reason}`);
}

function check(name: string, held: boolean, detail: string): DrillCheck {
  return { name, held, detail };
}
