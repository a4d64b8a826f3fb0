/** Runs what it is given one after the other, in the order it was given. */
export type Turns = <T>(act: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    // A failed turn is its caller's affair, not that of the next one.
    const turn = last.then(act, act);
    last = turn;
    return turn;
  };
}
