import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

/**
 * Processes that a scope was told of. Between spawn and the shim's join a process is in no cgroup of ours: this list
 * is then the only thing that knows it. Kept by pid and start time, so that a pid used again is not taken for ours.
 */
export class Attached {
  #identities: ProcessIdentity[] = [];

  add(pid: number): void {
    const identity = identify(pid);
    if (identity !== null) this.#identities.push(identity);
  }

  /** Pids that are alive now; zombies are not. */
  alive(): number[] {
    this.#identities = this.#identities.filter(isAlive);
    return this.#identities.map((identity) => identity.pid);
  }
}
