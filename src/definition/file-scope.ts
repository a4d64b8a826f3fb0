import type { Scope } from '../expression/expression.ts';
import type { Gaps } from './gaps.ts';

/** The parts of a file or a model that say which names there are. */
export interface Declared {
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly context?: {
    readonly readonly?: Readonly<Record<string, unknown>>;
    readonly mutable?: Readonly<Record<string, unknown>>;
  };
}

/** The scope of all expressions of a workflow; which step may be referred to from where is checked apart. */
export function scopeOf(declared: Declared, stepIds: ReadonlySet<string>, gaps?: Gaps): Scope {
  const mutable = new Set(Object.keys(declared.context?.mutable ?? {}));
  const readonly = new Set(Object.keys(declared.context?.readonly ?? {}));
  const inputs = new Set(Object.keys(declared.inputs ?? {}));
  const names = new Set([...mutable, ...readonly, ...inputs]);
  const open = { areStepsOpen: gaps?.areStepsOpen ?? false, areNamesOpen: gaps?.areNamesOpen ?? false };
  return { stepIds, names, mutable, readonly, inputs, ...open };
}
