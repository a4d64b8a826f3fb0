/** Whose turn it is: the order in which waiting demands are admitted, as a pure function of what is known of them. */

/** A demand that waits. */
export interface Waiting {
  readonly id: string;
  readonly workflow: string;
  /** -10 to 10; higher goes first. */
  readonly priority: number;
  /** When it came, by a monotonic clock, ms. */
  readonly since: number;
  /** Counts the demands as they come. */
  readonly serial: number;
  /** How often another was admitted in its stead, because it did not fit and the other did. */
  overtaken: number;
}

/** What decides between workflows. */
export interface Shares {
  /** Instances that a workflow holds now. */
  held(workflow: string): number;
  /** The admission that was its last, counted; 0: none that is remembered. */
  lastServed(workflow: string): number;
}

/** After so much waiting a demand counts as one priority higher: nothing waits for ever behind more urgent ones. */
export const AGING_MS = 60_000;
/** So often may others pass one that does not fit; then the room that comes free is kept for it. */
export const MAX_OVERTAKEN = 16;

/**
 * Below zero when `a` goes first: what was passed too often, then the higher priority (with age), then the workflow
 * that holds less, then the one that was served longer ago, then who came first.
 */
export function compareTurns(a: Waiting, b: Waiting, shares: Shares, now: number): number {
  return (
    Number(isDue(b)) - Number(isDue(a)) ||
    agedPriority(b, now) - agedPriority(a, now) ||
    shares.held(a.workflow) - shares.held(b.workflow) ||
    shares.lastServed(a.workflow) - shares.lastServed(b.workflow) ||
    a.serial - b.serial
  );
}

/** It is not passed any more. */
export function isDue({ overtaken }: Waiting): boolean {
  return overtaken >= MAX_OVERTAKEN;
}

/** What waits of one workflow with one priority is served in the order in which it came: a lane. */
export function laneOf({ workflow, priority }: Pick<Waiting, 'workflow' | 'priority'>): string {
  return `${priority} ${workflow}`;
}

function agedPriority({ priority, since }: Waiting, now: number): number {
  return priority + Math.floor((now - since) / AGING_MS);
}
