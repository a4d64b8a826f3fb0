import type { Breach, KillReport, Scope } from '../../sandbox/isolation.ts';
import { ensureError } from '../errors/workflow-error.ts';
import type { ChildExit } from './child.ts';
import { within } from './waits.ts';

/** How long the kernel may take to end what was killed. */
export const KILL_TIMEOUT_MS = 5000;
/** After a kill that is over, for the exit of the process to reach us. */
const LAST_WAIT_MS = 1000;

/** Reason of an abort that leaves no grace between SIGTERM and the kill: a kill switch in the mode kill. */
export const AT_ONCE = 'at_once';

export type StopCause =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancel'; readonly isAtOnce: boolean }
  | { readonly kind: 'breach'; readonly breach: Breach }
  | { readonly kind: 'error'; readonly error: Error };

/** The one decision to end an attempt early: the first cause counts, and the whole scope is killed once. */
export class Stop {
  cause: StopCause | null = null;
  killing: Promise<KillReport> | null = null;
  /** Settles after the kill is over, also when its process still has not ended (stuck in the kernel). */
  readonly gaveUp: Promise<ChildExit>;
  readonly #scope: Scope;
  readonly #graceMs: number;
  readonly #exited: Promise<ChildExit>;
  readonly #gaveUp = Promise.withResolvers<ChildExit>();

  constructor(scope: Scope, graceMs: number, exited: Promise<ChildExit>) {
    this.#scope = scope;
    this.#graceMs = graceMs;
    this.#exited = exited;
    this.gaveUp = this.#gaveUp.promise;
  }

  readonly onError = (error: Error): void => this.now({ kind: 'error', error });

  now(cause: StopCause): void {
    // Only what counts memory or processes ends a step; CPU is throttled, time and disk are the instance's.
    if (cause.kind === 'breach' && cause.breach.limit !== 'memory' && cause.breach.limit !== 'processes')
      return;
    if (this.cause !== null) return;
    this.cause = cause;
    const hasNoGrace = cause.kind === 'breach' || (cause.kind === 'cancel' && cause.isAtOnce);
    const graceMs = hasNoGrace ? 0 : this.#graceMs;
    this.killing = this.#scope.kill({ graceMs, timeoutMs: KILL_TIMEOUT_MS });
    this.killing
      .then(() => within(this.#exited, LAST_WAIT_MS))
      .then((exit) => this.#gaveUp.resolve(exit ?? { code: null, signal: 'SIGKILL', hasRun: true }))
      .catch((error: unknown) => this.#gaveUp.reject(ensureError(error)));
  }
}
