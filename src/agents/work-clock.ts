import { type Clock, type Countdown, startCountdown } from '../skills/waits.ts';

/**
 * Measures the time in which an agent works: while a request or a tool call is under way, not while it waits for a
 * decision or its processes are frozen. When `limitMs` of it are over, `expired` aborts; null = never.
 */
export class WorkClock {
  readonly #abort = new AbortController();
  readonly #limitMs: number | null;
  readonly #clock: Clock | undefined;
  #active = 0;
  #holds = 0;
  #spentMs = 0;
  #countdown: Countdown | null = null;

  constructor(limitMs: number | null, clock?: Clock) {
    this.#limitMs = limitMs;
    this.#clock = clock;
    if (limitMs !== null && limitMs <= 0) this.#abort.abort();
  }

  get expired(): AbortSignal {
    return this.#abort.signal;
  }

  /** What was worked by now, in ms. */
  get spentMs(): number {
    return this.#spentMs + (this.#countdown?.spentMs() ?? 0);
  }

  /** Does what is no work within it: the clock stands still. */
  async except<T>(idle: () => Promise<T>): Promise<T> {
    this.#holds += 1;
    if (this.#holds === 1 && this.#active > 0) this.#stop();
    try {
      return await idle();
    } finally {
      this.#holds -= 1;
      if (this.#holds === 0 && this.#active > 0) this.#start();
    }
  }

  /** Does the work, with the clock running. Several may be under way: time counts once. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  #begin(): void {
    this.#active += 1;
    if (this.#active === 1 && this.#holds === 0) this.#start();
  }

  #end(): void {
    this.#active -= 1;
    if (this.#active === 0 && this.#holds === 0) this.#stop();
  }

  #start(): void {
    const leftMs = Math.max(0, (this.#limitMs ?? Infinity) - this.#spentMs);
    this.#countdown = startCountdown(leftMs, () => this.#abort.abort(), this.#clock);
  }

  #stop(): void {
    this.#spentMs = this.spentMs;
    this.#countdown?.callOff();
    this.#countdown = null;
  }
}
