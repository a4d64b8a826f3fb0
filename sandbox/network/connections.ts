import { connect, type Socket } from 'node:net';

/** The connections out of one step that are open or being opened. */
export class Connections {
  readonly #open = new Map<Socket, Promise<void>>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #end = Promise.withResolvers<null>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Becomes null when all is closed. */
  get end(): Promise<null> {
    return this.#end.promise;
  }

  /** An open socket, or null when nobody answers there in time. */
  async dial(address: string, port: number, timeoutMs: number): Promise<Socket | null> {
    if (this.#isClosed) return null;
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, timeout: timeoutMs });
    const answered = Promise.withResolvers<Socket | null>();
    const gone = Promise.withResolvers<void>();
    this.#open.set(socket, gone.promise);
    socket.once('connect', () => answered.resolve(socket));
    socket.once('timeout', () => socket.destroy());
    // Told by `close`, which always follows.
    socket.on('error', () => answered.resolve(null));
    socket.once('close', () => {
      this.#open.delete(socket);
      answered.resolve(null);
      gone.resolve();
    });
    const opened = await answered.promise;
    socket.removeAllListeners('timeout');
    return opened;
  }

  /** `close` waits for it; it must not reject for good without somebody else hearing of it. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    void this.#forget(work);
    return work;
  }

  async #forget(work: Promise<unknown>): Promise<void> {
    await Promise.allSettled([work]);
    this.#pending.delete(work);
  }

  /** No further connection is opened, those that are open are cut. */
  shut(): void {
    this.#isClosed = true;
    this.#end.resolve(null);
    for (const socket of this.#open.keys()) socket.destroy();
  }

  /** Shuts, and resolves when every socket is closed and all that was tracked is over. */
  async close(): Promise<void> {
    this.shut();
    while (this.#open.size + this.#pending.size > 0)
      await Promise.allSettled([...this.#open.values(), ...this.#pending]);
  }
}
