import type { StuckFile } from './policy/files/policy-file.ts';

/** When an agent that repeats itself is stopped. */
export interface StuckLimits {
  /** Answers in a row that ask for the same and get the same. */
  readonly sameCall: number;
  /** Rounds of two answers that take turns. */
  readonly alternating: number;
  /** Denials or errors in a row. */
  readonly denials: number;
}

const DEFAULTS: StuckLimits = { sameCall: 3, alternating: 2, denials: 5 };

/** The strictest of all layers, the defaults where none says anything. */
export function stuckLimits(layers: readonly (StuckFile | undefined)[]): StuckLimits {
  const files = layers.filter((each) => each !== undefined);
  const least = (key: keyof StuckFile, otherwise: number): number => {
    const given = files.flatMap((file) => file[key] ?? []);
    return given.length === 0 ? otherwise : Math.min(...given);
  };
  return {
    sameCall: least('same_call', DEFAULTS.sameCall),
    alternating: least('alternating', DEFAULTS.alternating),
    denials: least('denials', DEFAULTS.denials),
  };
}
