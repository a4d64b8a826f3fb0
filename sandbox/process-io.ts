import { closeSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../src/errors/workflow-error.ts';
import type { IoBytes } from './isolation.ts';

/** What the kernel has counted for one process: proc_pid_io(5). None of the three ever falls. */
interface Counts {
  readonly read: number;
  readonly written: number;
  /** Of what was written, by whomever: thrown away before it reached a disk. */
  readonly cancelled: number;
}

interface Known {
  readonly startTime: string;
  parent: number;
  counts: Counts;
}

/** Text of a file of /proc/PID, null where it cannot be read. */
export type ReadProc = (pid: number, file: 'io' | 'stat') => string | null;

const NOTHING: Counts = { read: 0, written: 0, cancelled: 0 };

/**
 * Bytes that a tree of processes moved to and from disks, added up from /proc/PID/io, which counts a buffered write
 * when it is made. A process that is waited for leaves its counts to the one that waited (kernel/exit.c,
 * wait_task_zombie), so what an ended process had may not simply be kept: it would count twice. Missed is what a
 * process did after the last look at it when nobody in the tree waited for it.
 */
export class ProcessIo {
  readonly #read: ReadProc;
  readonly #known = new Map<number, Known>();
  #total = NOTHING;
  #hasSeen = false;

  constructor(read: ReadProc = readProc) {
    this.#read = read;
  }

  /** Looks at the processes that are in the tree now. Null where none could ever be read. */
  look(pids: readonly number[]): IoBytes | null {
    const gone = new Map<number, Known>();
    const now = this.#countsNow(pids, gone);
    for (const [pid, counts] of this.#heirs(gone, now)) now.set(pid, counts);
    for (const [pid, counts] of now) this.#add(pid, counts, gone);
    if (!this.#hasSeen) return null;
    const { read, written, cancelled } = this.#total;
    return { readBytes: read, writtenBytes: Math.max(0, written - cancelled) };
  }

  /** What each living process has counted; those that ended go from the known to `gone`. */
  #countsNow(pids: readonly number[], gone: Map<number, Known>): Map<number, Counts> {
    const listed = new Set(pids);
    const now = new Map<number, Counts>();
    for (const pid of new Set([...listed, ...this.#known.keys()])) {
      const counts = parseCounts(this.#read(pid, 'io'));
      const before = this.#known.get(pid);
      if (before !== undefined && !this.#isSame(pid, before, counts, listed)) {
        gone.set(pid, before);
        this.#known.delete(pid);
      }
      if (counts === null || (!this.#known.has(pid) && !(listed.has(pid) && this.#meet(pid)))) continue;
      now.set(pid, counts);
    }
    return now;
  }

  /** One that is no more listed may be a zombie, which keeps its counts until somebody waits for it. */
  #isSame(pid: number, before: Known, counts: Counts | null, listed: ReadonlySet<number>): boolean {
    if (counts === null || fallsBelow(counts, before.counts)) return false;
    return listed.has(pid) || parseBirth(this.#read(pid, 'stat'))?.startTime === before.startTime;
  }

  #meet(pid: number): boolean {
    const birth = parseBirth(this.#read(pid, 'stat'));
    if (birth !== null) this.#known.set(pid, { ...birth, counts: NOTHING });
    return birth !== null;
  }

  /**
   * Those who may have got the counts of ended ones, read once more: they were perhaps looked at just before. Children
   * of an ended process have another parent now.
   */
  #heirs(gone: ReadonlyMap<number, Known>, now: ReadonlyMap<number, Counts>): Map<number, Counts> {
    const heirs = new Map<number, Counts>();
    for (const { parent } of gone.values()) {
      const counts = now.has(parent) ? parseCounts(this.#read(parent, 'io')) : null;
      if (counts !== null) heirs.set(parent, counts);
    }
    if (gone.size > 0)
      for (const [pid, known] of this.#known)
        if (gone.has(known.parent)) known.parent = parseBirth(this.#read(pid, 'stat'))?.parent ?? 0;
    return heirs;
  }

  #add(pid: number, counts: Counts, gone: ReadonlyMap<number, Known>): void {
    const known = this.#known.get(pid);
    if (known === undefined) return;
    let fresh = minus(counts, known.counts);
    // Counted already, when they were looked at; one that nobody waited for has left nothing.
    for (const [ended, left] of gone)
      if (heirOf(ended, gone) === pid && !fallsBelow(fresh, left.counts)) fresh = minus(fresh, left.counts);
    known.counts = counts;
    this.#hasSeen = true;
    this.#total = minus(this.#total, minus(NOTHING, fresh));
  }
}

/** The nearest process above an ended one that has not ended. */
function heirOf(pid: number, gone: ReadonlyMap<number, Known>): number {
  let heir = pid;
  // A number that was used again may close a circle.
  for (let step = 0; step <= gone.size; step += 1) {
    const ended = gone.get(heir);
    if (ended === undefined) return heir;
    heir = ended.parent;
  }
  return 0;
}

function minus(a: Counts, b: Counts): Counts {
  return { read: a.read - b.read, written: a.written - b.written, cancelled: a.cancelled - b.cancelled };
}

function fallsBelow(a: Counts, b: Counts): boolean {
  return a.read < b.read || a.written < b.written || a.cancelled < b.cancelled;
}

const COUNTS = /^read_bytes: (\d+)\nwrite_bytes: (\d+)\ncancelled_write_bytes: (\d+)$/m;

function parseCounts(text: string | null): Counts | null {
  const found = COUNTS.exec(text ?? '');
  // A kernel without CONFIG_TASK_IO_ACCOUNTING has other lines only.
  if (found === null) return null;
  return { read: Number(found[1]), written: Number(found[2]), cancelled: Number(found[3]) };
}

/** Of /proc/PID/stat, zombies too. The command name may hold blanks and brackets. */
function parseBirth(text: string | null): { startTime: string; parent: number } | null {
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { startTime: fields[19] ?? '', parent: Number(fields[1]) };
}

const UNREADABLE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR']);

const buffer = Buffer.allocUnsafe(2048);

/** Three system calls: readFileSync takes seven for a file of which it doesn't know the size. */
function readProc(pid: number, file: 'io' | 'stat'): string | null {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(`/proc/${pid}/${file}`, 'r');
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch (error) {
    // It ended, it is another user's, or there is no /proc at all.
    if (!UNREADABLE.has(systemCode(error) ?? '')) throw error;
    return null;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
