import type { VerifyReport } from '../../src/audit/verify/verify.ts';

/** Every place that a verifier calls bad, sorted, to be compared with those of another verifier. */
export function shownPlaces({ problems }: VerifyReport): string[] {
  return (
    problems
      .map((problem) => `${problem.kind} ${problem.seq}`)
      // It takes the state folder to know that there was another log.
      .filter((place) => place !== 'log_replaced 1')
      .sort()
  );
}
