/**
 * Calls of one server, side by side or alone. What a person approved for one call is open to the whole process of the
 * server, so no other call is in it meanwhile. One gate for one server.
 */
export class CallGate {
  readonly #shared = new Set<Promise<unknown>>();
  #alone: Promise<void> | null = null;

  /** With other calls, once none is alone. */
  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    const running = work();
    this.#shared.add(running);
    try {
      return await running;
    } finally {
      this.#shared.delete(running);
    }
  }

  /** Once all others are over; those that come later wait for its end. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    // No other turn of the loop lies between the look and the entry: two would both get in.
    while (this.#alone !== null) await this.#alone;
    const over = Promise.withResolvers<void>();
    this.#alone = over.promise;
    try {
      await Promise.allSettled([...this.#shared]);
      return await work();
    } finally {
      this.#alone = null;
      over.resolve();
    }
  }
}
