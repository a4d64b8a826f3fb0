/** CPU time as a credit: it grows with the clock at the allowed rate and shrinks by what was used. */
export interface Duty {
  readonly creditMs: number;
  /** True while the tree has to stand still until the credit is paid back. */
  readonly isHeld: boolean;
}

export const FRESH_DUTY: Duty = { creditMs: 0, isHeld: false };

/** An idle tree may save up this much of the clock, so that a short burst is not cut. */
const SAVED_MS = 100;

/** The duty after `elapsedMs` in which the tree used `usedMs` of CPU; `percent` is of one core. */
export function nextDuty(duty: Duty, elapsedMs: number, usedMs: number, percent: number): Duty {
  const rate = percent / 100;
  const creditMs = Math.min(duty.creditMs + elapsedMs * rate - usedMs, SAVED_MS * rate);
  return { creditMs, isHeld: creditMs < 0 };
}
