/** Which rows of a tree are shown where it is higher than its room. */
import type { RowStatus, TreeRow } from './tree.ts';

export type FoldedRow =
  | { readonly kind: 'row'; readonly row: TreeRow }
  | { readonly kind: 'fold'; readonly depth: number; readonly counts: ReadonlyMap<RowStatus, number> };

const RANK: Readonly<Record<RowStatus, number>> = {
  failed: 0,
  running: 1,
  waiting: 2,
  interrupted: 3,
  handled: 4,
  pending: 5,
  completed: 5,
  skipped: 6,
  cancelled: 6,
};

/** Ranks below it are shown as far as there is room at all; the others fill what is left. */
const CALM = 4;

/**
 * The rows that fit into `room` lines: those that failed or go on with all around them, then what is next to these;
 * each stretch of others becomes one line that counts them.
 */
export function folded(rows: readonly TreeRow[], room: number): readonly FoldedRow[] {
  if (rows.length <= room) return rows.map((row) => ({ kind: 'row', row }));
  const shown = new Array<boolean>(rows.length).fill(false);
  // Of all hidden there is one fold.
  let height = 1;
  const isShown = (index: number): boolean => index < 0 || index >= rows.length || shown[index] === true;
  /** What showing a row costs: itself, and the fold that it parts, or takes the place of. */
  const show = (index: number): void => {
    const neighbours = Number(isShown(index - 1)) + Number(isShown(index + 1));
    shown[index] = true;
    height += 2 - neighbours;
  };
  const tryToShow = (index: number): void => {
    const before = height;
    const added: number[] = [];
    for (let each = index; each !== -1 && shown[each] !== true; each = rows[each]?.parent ?? -1) {
      show(each);
      added.push(each);
    }
    if (height <= room) return;
    for (const each of added) shown[each] = false;
    height = before;
  };
  for (const index of byImportance(rows)) tryToShow(index);
  return withFolds(rows, shown);
}

function byImportance(rows: readonly TreeRow[]): number[] {
  // What a group has tells better where it goes on than the group itself.
  const focus = rows.flatMap(({ status, depth }, index) =>
    RANK[status] < CALM && (rows[index + 1]?.depth ?? 0) <= depth ? [index] : [],
  );
  const distance = distances(rows.length, focus);
  return rows
    .map((_, index) => index)
    .sort((a, b) => {
      const [left, right] = [rankAt(rows, a), rankAt(rows, b)];
      if (left !== right) return left - right;
      return left < CALM ? a - b : (distance[a] ?? 0) - (distance[b] ?? 0) || a - b;
    });
}

function rankAt(rows: readonly TreeRow[], index: number): number {
  const row = rows[index];
  return row === undefined ? CALM : Math.min(CALM + (row.depth > 0 ? 1 : 0), RANK[row.status]);
}

/** How far each row is from the nearest that matters; without one, from the end. */
function distances(length: number, focus: readonly number[]): number[] {
  const far = new Array<number>(length).fill(Number.POSITIVE_INFINITY);
  const marks = focus.length === 0 ? [length - 1] : focus;
  for (const index of marks) far[index] = 0;
  for (let index = 1; index < length; index += 1)
    far[index] = Math.min(far[index] ?? 0, (far[index - 1] ?? 0) + 1);
  for (let index = length - 2; index >= 0; index -= 1)
    far[index] = Math.min(far[index] ?? 0, (far[index + 1] ?? 0) + 1);
  return far;
}

function withFolds(rows: readonly TreeRow[], shown: readonly boolean[]): readonly FoldedRow[] {
  const lines: FoldedRow[] = [];
  let fold: { kind: 'fold'; depth: number; counts: Map<RowStatus, number> } | null = null;
  for (const [index, row] of rows.entries()) {
    if (shown[index] === true) {
      fold = null;
      lines.push({ kind: 'row', row });
      continue;
    }
    if (fold === null) {
      fold = { kind: 'fold', depth: row.depth, counts: new Map() };
      lines.push(fold);
    }
    fold.depth = Math.min(fold.depth, row.depth);
    fold.counts.set(row.status, (fold.counts.get(row.status) ?? 0) + 1);
  }
  return lines;
}
