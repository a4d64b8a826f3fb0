/**
 * What the interpreter knows beyond the journal: which nodes to look at, which leaves wait for a slot, which are
 * with the driver. All of it can be lost: after a replay it is found again from the open nodes.
 */
import { DueHeap } from './heap.ts';
import { hasEnded, type StepNode } from './run-state.ts';

export class Schedule {
  /** Leaf attempts that the driver was asked to run and that have not begun. */
  readonly #dispatched = new Map<StepNode, number>();
  readonly #dirty = new Set<StepNode>();
  /** Open nodes that the flow has not come to. */
  readonly #held = new Set<StepNode>();
  readonly #ready: StepNode[] = [];
  #readyHead = 0;
  #batch: StepNode[] = [];
  readonly #queued = new Set<StepNode>();
  readonly #waiters = new Map<StepNode, Map<StepNode, string | null>>();
  /** Of each node with a timer, the time of the newest. */
  readonly #timed = new Map<StepNode, number>();
  readonly #timers = new DueHeap<StepNode>();
  /** The run itself has to be looked at: the top of the flow, the rollback, the end. */
  isRunDirty = true;
  /** The state was changed from outside; all open nodes have to be looked at. */
  needsScan = true;
  /** What a rollback undoes, in order, once it is worked out. */
  undoList: readonly StepNode[] | null = null;
  undoIndex = 0;

  look(node: StepNode | null): void {
    if (node === null) this.isRunDirty = true;
    else this.#dirty.add(node);
  }

  /** The next node to look at, in the order in which they came up. */
  takeDirty(): StepNode | undefined {
    for (const node of this.#dirty) {
      this.#dirty.delete(node);
      return node;
    }
    return undefined;
  }

  /** Until the flow has gone on. */
  hold(node: StepNode): void {
    this.#held.add(node);
  }

  lookAtHeld(): void {
    for (const node of this.#held) this.#dirty.add(node);
    this.#held.clear();
  }

  /** Looks again at those that waited for this node, or for a step to come up in it. */
  release(node: StepNode): void {
    for (const waiter of this.#waiters.get(node)?.keys() ?? []) this.look(waiter);
    this.#waiters.delete(node);
  }

  /** Looks again at those that waited for this step to come up in the composite. */
  arrived(composite: StepNode | null, id: string): void {
    const waiters = composite === null ? undefined : this.#waiters.get(composite);
    for (const [waiter, child] of waiters ?? []) {
      if (child !== id) continue;
      waiters?.delete(waiter);
      this.look(waiter);
    }
  }

  /** Until the end of the blocker, or with `child` until that step comes up in it. */
  waitFor(blocker: StepNode, child: string | null, waiter: StepNode): void {
    const waiters = this.#waiters.get(blocker);
    if (waiters === undefined) this.#waiters.set(blocker, new Map([[waiter, child]]));
    else waiters.set(waiter, child);
  }

  /** A leaf whose attempt may start as soon as there is a slot. Twice is once. */
  makeReady(node: StepNode): void {
    if (this.#queued.has(node) || this.#dispatched.has(node)) return;
    this.#queued.add(node);
    this.#batch.push(node);
  }

  /** First come first served; those that came up together in document order. */
  takeReady(positionOf: (node: StepNode) => number): StepNode | undefined {
    if (this.#batch.length > 0) {
      if (this.#batch.length > 1) this.#batch.sort((a, b) => positionOf(a) - positionOf(b));
      for (const node of this.#batch) this.#ready.push(node);
      this.#batch = [];
    }
    while (this.#readyHead < this.#ready.length) {
      const node = this.#ready[this.#readyHead];
      this.#readyHead += 1;
      if (this.#readyHead > 1000 && this.#readyHead * 2 > this.#ready.length) {
        this.#ready.splice(0, this.#readyHead);
        this.#readyHead = 0;
      }
      if (node !== undefined && this.#queued.delete(node) && !hasEnded(node)) return node;
    }
    return undefined;
  }

  dispatch(node: StepNode, attempt: number): void {
    this.#dispatched.set(node, attempt);
  }

  /** True when the attempt was dispatched and has not begun. */
  isDispatched(node: StepNode, attempt: number): boolean {
    return this.#dispatched.get(node) === attempt;
  }

  undispatch(node: StepNode): void {
    this.#dispatched.delete(node);
  }

  get dispatchedCount(): number {
    return this.#dispatched.size;
  }

  /** Looks at the node again at its time. */
  setTimer(node: StepNode, at: number): void {
    // A node that was suspended again has a second timer: looking at it too early does no harm.
    if (this.#timed.get(node) === at) return;
    this.#timed.set(node, at);
    this.#timers.push(at, node);
  }

  /** Looks at the nodes whose time has come, and drops timers of nodes that have ended. */
  fireTimers(now: number): void {
    for (;;) {
      const node = this.#timers.peek();
      const at = this.#timers.nextAt();
      if (node === undefined || at === null) return;
      const isStale = node.status !== 'retrying' && node.status !== 'suspended';
      if (!isStale && at > now) return;
      this.#timers.pop();
      if (this.#timed.get(node) === at) this.#timed.delete(node);
      if (!isStale) this.look(node);
    }
  }

  /** When the next timer is due, or null. */
  nextTimerAt(): number | null {
    return this.#timers.nextAt();
  }

  /** Forgets all but what is with the driver: the state was changed from outside. */
  clear(): void {
    this.#dirty.clear();
    this.#held.clear();
    this.#ready.length = 0;
    this.#readyHead = 0;
    this.#batch = [];
    this.#queued.clear();
    this.#waiters.clear();
    this.undoList = null;
    this.undoIndex = 0;
  }
}
