import type { Attached } from '../attached.ts';
import { type KillTarget, signal } from '../kill-ladder.ts';
import { isUnsupported, keyedNumber, readControl, writeControl } from './control-file.ts';
import { type Folders, pidsBelow } from './folders.ts';
import { requestFreeze, thawTree, untilFrozen } from './freezer.ts';
import { liftIoLimit } from './io-limit.ts';
import { waitFor } from './wait.ts';

/** Waiting longer for a freeze than this does not make a kill faster: the ladder strikes again anyway. */
const STRIKE_FREEZE_MS = 100;

/** The processes of a cgroup scope as the kill ladder and the waits see them. */
export class CgroupTarget implements KillTarget {
  readonly #folders: Folders;
  readonly #processFolder: string;
  readonly #attached: Attached;

  constructor(folders: Folders, processFolder: string, attached: Attached) {
    this.#folders = folders;
    this.#processFolder = processFolder;
    this.#attached = attached;
  }

  pids(): number[] {
    const listed = pidsBelow(this.#processFolder);
    const joining = this.#attached.alive().filter((pid) => !listed.includes(pid));
    return [...listed, ...joining];
  }

  async release(): Promise<void> {
    thawTree(this.#folders);
  }

  async strike(): Promise<void> {
    if (this.#folders.unified !== undefined) liftIoLimit(this.#folders.unified);
    if (this.#killByKernel()) {
      for (const pid of this.#attached.alive()) signal(pid, 'SIGKILL');
      return;
    }
    // Frozen, nobody forks between our list and our signals. v1 delivers SIGKILL at the thawTree, v2 at once.
    try {
      if (requestFreeze(this.#folders)) await untilFrozen(this.#folders, STRIKE_FREEZE_MS);
      for (const pid of this.pids()) signal(pid, 'SIGKILL');
    } finally {
      thawTree(this.#folders);
    }
  }

  isEmptyWithin(timeoutMs: number): Promise<boolean> {
    return this.#untilEmpty({ timeoutMs });
  }

  async whenEmpty(abort: AbortSignal): Promise<void> {
    await this.#untilEmpty({ signal: abort });
  }

  #untilEmpty(bound: { timeoutMs?: number; signal?: AbortSignal }): Promise<boolean> {
    const { unified } = this.#folders;
    return waitFor({
      eventsFile: unified === undefined ? null : `${unified}/cgroup.events`,
      isDone: () => !this.#isPopulated() && this.pids().length === 0,
      // Somebody is still on the way into the scope: no event tells when such a process ends.
      mustPoll: () => !this.#isPopulated(),
      ...bound,
    });
  }

  /** What the kernel's event says; without a cgroup2 tree it says nothing and only the lists count. */
  #isPopulated(): boolean {
    const { unified } = this.#folders;
    if (unified === undefined) return false;
    const events = readControl(`${unified}/cgroup.events`);
    return events !== null && keyedNumber(events, 'populated') === 1;
  }

  /** One write that also catches what is forking now. False where there is no such file (kernel < 5.14, threaded leaf). */
  #killByKernel(): boolean {
    const { unified } = this.#folders;
    if (unified === undefined) return false;
    try {
      if (!writeControl(`${unified}/cgroup.kill`, '1')) return false;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      return false;
    }
    // Frozen by hand before: without a thaw nothing would run here again, should somebody join.
    thawTree(this.#folders);
    return true;
  }
}
