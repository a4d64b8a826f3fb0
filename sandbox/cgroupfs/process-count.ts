import { KeptFile, RareFile } from './control-file.ts';

/**
 * The processes of a cgroup by its `pids.current`, where for a moment a fork counts too that is about to be refused
 * (kernel/cgroup/pids.c adds before it compares): never more than `pids.max` are told.
 */
export class ProcessCount {
  readonly #current: KeptFile;
  readonly #limit: RareFile;
  #highest = 0;

  constructor(folder: string) {
    this.#current = new KeptFile(`${folder}/pids.current`);
    this.#limit = new RareFile(`${folder}/pids.max`);
  }

  /** `fallback` where the file is gone. */
  read(fallback: number): number {
    const text = this.#current.read();
    if (text === null) return fallback;
    const count = Number.parseInt(text, 10) || 0;
    if (count <= this.#highest) return count;
    // `max` is no number: no limit here.
    const limit = Number.parseInt(this.#limit.read() ?? '', 10);
    this.#highest = Number.isNaN(limit) ? count : Math.min(count, limit);
    return this.#highest;
  }

  close(): void {
    this.#current.close();
    this.#limit.close();
  }
}
