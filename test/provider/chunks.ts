/** Cutting bytes where a seed says: within characters, within escapes, within lines. */

/** mulberry32: numbers in [0, 1) that a seed brings back. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The bytes in pieces of one byte up to a few hundred; large ones in larger pieces. */
export function cut(bytes: Buffer, random: () => number): Buffer[] {
  const longest = Math.max(200, Math.ceil(bytes.length / 50));
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const length = random() < 0.2 ? 1 : 1 + Math.floor(random() * longest);
    pieces.push(bytes.subarray(from, from + length));
    from += length;
  }
  return pieces;
}

/** A text in a few parts, as models send it. */
export function parts(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}

/** Lists side by side: one of each in turn. */
export function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat();
}
