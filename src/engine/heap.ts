/** A binary heap of things that are due at a time: the earliest first, those of one time in the order pushed. */
export class DueHeap<Item> {
  readonly #entries: { readonly at: number; readonly turn: number; readonly item: Item }[] = [];
  #pushed = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest time, or null when empty. */
  nextAt(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  peek(): Item | undefined {
    return this.#entries[0]?.item;
  }

  push(at: number, item: Item): void {
    this.#pushed += 1;
    this.#entries.push({ at, turn: this.#pushed, item });
    let index = this.#entries.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): Item | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (first === undefined || last === undefined || first === last) return first?.item;
    this.#entries[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (this.#isBefore(left, least)) least = left;
      if (this.#isBefore(right, least)) least = right;
      if (least === index) return first.item;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const a = this.#entries[one];
    const b = this.#entries[other];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.turn < b.turn);
  }

  #swap(one: number, other: number): void {
    const a = this.#entries[one];
    const b = this.#entries[other];
    if (a === undefined || b === undefined) return;
    this.#entries[one] = b;
    this.#entries[other] = a;
  }
}
