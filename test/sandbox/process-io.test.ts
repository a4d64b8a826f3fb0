import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProcessIo, type ReadProc } from '../../sandbox/process-io.ts';

interface Process {
  parent: number;
  read: number;
  written: number;
  cancelled: number;
  state: string;
  startTime: number;
}

/** Processes as the kernel has them: what one that is waited for has counted goes to who waited. */
class Kernel {
  readonly processes = new Map<number, Process>();
  reads = 0;
  #clock = 0;

  fork(pid: number, parent: number): void {
    this.#clock += 1;
    this.processes.set(pid, {
      parent,
      read: 0,
      written: 0,
      cancelled: 0,
      state: 'S',
      startTime: this.#clock,
    });
  }

  move(pid: number, bytes: Partial<Pick<Process, 'read' | 'written' | 'cancelled'>>): void {
    const process = this.of(pid);
    process.read += bytes.read ?? 0;
    process.written += bytes.written ?? 0;
    process.cancelled += bytes.cancelled ?? 0;
  }

  /** Ends a process; its children go to process 1. Without a wait it stays a zombie. */
  exit(pid: number): void {
    this.of(pid).state = 'Z';
    for (const child of this.processes.values()) if (child.parent === pid) child.parent = 1;
  }

  wait(pid: number): void {
    const { parent, read, written, cancelled } = this.of(pid);
    if (this.processes.has(parent)) this.move(parent, { read, written, cancelled });
    this.processes.delete(pid);
  }

  end(pid: number): void {
    this.exit(pid);
    this.wait(pid);
  }

  of(pid: number): Process {
    const process = this.processes.get(pid);
    assert.ok(process !== undefined, `no process ${pid}`);
    return process;
  }

  /** As a cgroup lists them. */
  alive(): number[] {
    return [...this.processes].filter(([, { state }]) => state !== 'Z').map(([pid]) => pid);
  }

  readonly proc: ReadProc = (pid, file) => {
    this.reads += 1;
    const process = this.processes.get(pid);
    if (process === undefined) return null;
    const { parent, read, written, cancelled, state, startTime } = process;
    return file === 'io'
      ? `rchar: 99\nwchar: 99\nsyscr: 9\nsyscw: 9\nread_bytes: ${read}\nwrite_bytes: ${written}\ncancelled_write_bytes: ${cancelled}\n`
      : `${pid} (a ) b) ${state} ${parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 1000 1`;
  };
}

function tree(): { kernel: Kernel; look: () => readonly [number, number] | null } {
  const kernel = new Kernel();
  const io = new ProcessIo(kernel.proc);
  const look = (): readonly [number, number] | null => {
    const bytes = io.look(kernel.alive());
    return bytes === null ? null : [bytes.readBytes, bytes.writtenBytes];
  };
  kernel.fork(10, 1);
  return { kernel, look };
}

describe('bytes of a tree of processes', () => {
  test('are those of all members, less what was thrown away unwritten', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.move(10, { read: 5 });
    kernel.move(11, { written: 100 });
    assert.deepEqual(look(), [5, 100]);
    kernel.move(10, { cancelled: 30 });
    assert.deepEqual(look(), [5, 70]);
  });

  test('of a process that ended and was waited for count once, with what it did after the last look', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.move(11, { written: 100 });
    assert.deepEqual(look(), [0, 100]);
    kernel.move(11, { written: 20, read: 3 });
    kernel.end(11);
    kernel.move(10, { written: 1 });
    assert.deepEqual(look(), [3, 121]);
    assert.deepEqual(look(), [3, 121]);
  });

  test('of a process that came and went between two looks come with its parent', () => {
    const { kernel, look } = tree();
    look();
    kernel.fork(11, 10);
    kernel.move(11, { written: 100 });
    kernel.end(11);
    assert.deepEqual(look(), [0, 100]);
  });

  test('of a process that nobody in the tree waits for stay as last seen', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.fork(12, 11);
    kernel.move(12, { written: 100 });
    look();
    // Its parent ends: it belongs to process 1 from now on.
    kernel.end(11);
    kernel.move(12, { written: 10 });
    assert.deepEqual(look(), [0, 110]);
    kernel.end(12);
    kernel.move(10, { written: 500 });
    assert.deepEqual(look(), [0, 610]);
  });

  test('of a zombie are neither lost nor counted twice', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.move(11, { written: 100 });
    look();
    kernel.move(11, { written: 5 });
    kernel.exit(11);
    assert.deepEqual(look(), [0, 105]);
    kernel.wait(11);
    assert.deepEqual(look(), [0, 105]);
  });

  test('of a whole chain that ended go up to the nearest that lives', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.fork(12, 11);
    kernel.move(11, { written: 7 });
    kernel.move(12, { written: 100 });
    look();
    kernel.move(12, { written: 1 });
    kernel.end(12);
    kernel.end(11);
    assert.deepEqual(look(), [0, 108]);
  });

  test('of a process with a number that was used again are another one’s', () => {
    const { kernel, look } = tree();
    kernel.fork(11, 10);
    kernel.move(11, { written: 100 });
    look();
    kernel.end(11);
    kernel.fork(11, 10);
    kernel.move(11, { written: 30 });
    assert.deepEqual(look(), [0, 130]);
  });

  test('of a stranger with the number of an ended member are none of ours', () => {
    const kernel = new Kernel();
    const io = new ProcessIo(kernel.proc);
    kernel.fork(10, 1);
    kernel.fork(11, 10);
    kernel.move(11, { written: 100 });
    io.look([10, 11]);
    kernel.end(11);
    kernel.fork(11, 1);
    kernel.move(11, { written: 999 });
    assert.deepEqual(io.look([10]), { readBytes: 0, writtenBytes: 100 });
  });

  test('are unknown where no process can be read, and as last seen when all have ended', () => {
    assert.equal(new ProcessIo(() => null).look([10]), null);
    assert.equal(new ProcessIo((_, file) => (file === 'io' ? 'rchar: 1\n' : '')).look([10]), null);
    const { kernel, look } = tree();
    kernel.move(10, { read: 8 });
    look();
    kernel.end(10);
    assert.deepEqual(look(), [8, 0]);
  });

  test('cost one read for each process that is known', () => {
    const { kernel, look } = tree();
    look();
    kernel.reads = 0;
    look();
    assert.equal(kernel.reads, 1);
  });
});
