/** Words that mean something else in references and expressions: no step may be called so (DESIGN section 5). */
export const RESERVED_IDS: ReadonlySet<string> = new Set([
  'context',
  'inputs',
  'steps',
  'error',
  'true',
  'false',
  'null',
  'in',
  'iteration',
]);

/** As keys of context they could not be told from what is there already. */
export const RESERVED_CONTEXT_KEYS: ReadonlySet<string> = new Set([...RESERVED_IDS, 'readonly', 'mutable']);
