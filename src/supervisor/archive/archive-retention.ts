/** Which archives have to go; null = no bound. */
export interface Retention {
  /** Ends before this, UTC ms. */
  readonly before: number | null;
  readonly count: number | null;
  /** Of all together. */
  readonly bytes: number | null;
}

/** Those beyond the bounds: the oldest ends go first. `archives` have the newest end first. */
export function beyond<A extends { readonly ended_at: string; readonly bytes: number }>(
  archives: readonly A[],
  { before, count, bytes }: Retention,
): A[] {
  let total = 0;
  let isFull = false;
  return archives.filter((archive, index) => {
    total += archive.bytes;
    // From the first that finds no room on: a small old one is not kept for a large newer one.
    isFull ||= bytes !== null && total > bytes;
    const isOld = before !== null && Date.parse(archive.ended_at) < before;
    return isFull || isOld || (count !== null && index >= count);
  });
}
