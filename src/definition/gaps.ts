/** What a file with broken parts leaves open: names that may be declared where nobody can read them. */
export interface Gaps {
  /** Ids in parts that could not be kept: they are declared, but nobody knows where they run. */
  readonly strays: ReadonlySet<string>;
  /** A part that may declare steps cannot be read: a step that is not known may be there. */
  readonly areStepsOpen: boolean;
  /** The same for inputs and keys of context. */
  readonly areNamesOpen: boolean;
  /** A part that may name handlers cannot be read: a step that is in the flow may be one. */
  readonly areHandlersOpen: boolean;
  /** An entry of `context.access` cannot be read: any step may be meant. */
  readonly areWritersOpen: boolean;
}

/** Of a file without broken parts. */
export const NO_GAPS: Gaps = {
  strays: new Set(),
  areStepsOpen: false,
  areNamesOpen: false,
  areHandlersOpen: false,
  areWritersOpen: false,
};
