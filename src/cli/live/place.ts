/** Where a step stands in the tree of its run, read from its path (spelled by `src/engine/paths.ts`). */
export interface Place {
  /** Path of the step that it lies in, or serves; null at the top. */
  readonly parent: string | null;
  readonly name: string;
  /** Of the group around it. */
  readonly attempt: number;
  /** Of the loop around it, from 0; null outside one. */
  readonly turn: number | null;
}

const FRAME = /^(.*?)(?:~(\d+))?(?:\[(\d+)\])?$/s;

/** `loop~2[3]/build` lies in `loop`, in its second attempt and turn 3; `build!undo` belongs to `build`. */
export function placeOf(path: string): Place {
  const slash = path.lastIndexOf('/');
  const bang = path.lastIndexOf('!');
  if (bang > slash && bang > 0)
    return { parent: path.slice(0, bang), name: path.slice(bang + 1), attempt: 1, turn: null };
  if (slash === -1) return { parent: null, name: path, attempt: 1, turn: null };
  const [, parent = '', attempt, turn] = FRAME.exec(path.slice(0, slash)) ?? [];
  return {
    parent,
    name: path.slice(slash + 1),
    attempt: Number(attempt ?? 1),
    turn: turn === undefined ? null : Number(turn),
  };
}

/** True where `a` is a later attempt or turn of the same group than `b`. */
export function isLater(a: Place, b: Place): boolean {
  return a.attempt === b.attempt ? (a.turn ?? -1) > (b.turn ?? -1) : a.attempt > b.attempt;
}
