import { readdirSync } from 'node:fs';
import type { IoBytes } from '../isolation.ts';
import { ProcessIo } from '../process-io.ts';
import { isGone, KeptFile } from './control-file.ts';
import { pidsBelow } from './folders.ts';

/** A look at a large tree is followed by a rest of so many times its length: it takes half a percent of a core at most. */
const REST = 200;

/**
 * Bytes that the tree of a cgroup moved to and from disks: by `io.stat` where the folder has one (cgroup v2 with the
 * controller `io`), else added up over its processes. The counters of blkio (v1) are no source: they lack buffered
 * writes, and since Linux 6.10 they stay 0 unless somebody has set a limit on the disk.
 */
export class IoMeter {
  readonly #folder: string;
  readonly #stat: KeptFile;
  readonly #processes = new ProcessIo();
  readonly #stacked = new Map<string, boolean>();
  #last: IoBytes | null = null;
  #isKernels = false;
  #restsUntil = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#stat = new KeptFile(`${folder}/io.stat`);
  }

  read(): IoBytes | null {
    const text = this.#stat.read();
    if (text !== null) this.#isKernels = true;
    if (text !== null) this.#last = parseIoStat(text, (device) => this.#isStacked(device));
    else if (!this.#isKernels) this.#lookAtProcesses();
    return this.#last;
  }

  close(): void {
    this.#stat.close();
  }

  #lookAtProcesses(): void {
    const startedAt = performance.now();
    if (startedAt < this.#restsUntil) return;
    this.#last = this.#processes.look(pidsBelow(this.#folder));
    const endedAt = performance.now();
    this.#restsUntil = endedAt + (endedAt - startedAt) * REST;
  }

  #isStacked(device: string): boolean {
    const known = this.#stacked.get(device);
    if (known !== undefined) return known;
    const isStacked = isStackedDevice(device);
    this.#stacked.set(device, isStacked);
    return isStacked;
  }
}

/** The sum over devices, of `major:minor rbytes=… wbytes=… …` a line. What a device hands on to others counts there. */
export function parseIoStat(text: string, isStacked: (device: string) => boolean): IoBytes {
  let readBytes = 0;
  let writtenBytes = 0;
  for (const line of text.split('\n')) {
    const match = /^(\d+:\d+) .*?\brbytes=(\d+) wbytes=(\d+)/.exec(line);
    if (match === null || isStacked(match[1] ?? '')) continue;
    readBytes += Number(match[2]);
    writtenBytes += Number(match[3]);
  }
  return { readBytes, writtenBytes };
}

const LOOP_MAJOR = '7:';

/** True for a device that stands on others (device mapper, md, loop): the same bytes are counted for these as well. */
function isStackedDevice(device: string): boolean {
  if (device.startsWith(LOOP_MAJOR)) return true;
  try {
    return readdirSync(`/sys/dev/block/${device}/slaves`).length > 0;
  } catch (error) {
    if (!isGone(error)) throw error;
    return false;
  }
}
