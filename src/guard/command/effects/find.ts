import type { Argument } from '../reading.ts';
import type { Effects } from './operands.ts';

const WRITES = new Set(['-fprint', '-fprint0', '-fls', '-fprintf']);
/** Files whose age or place is compared. */
const READS = /^-(?:[acm]?newer|newer[aBcmt]{2}|samefile|files0-from)$/;

export function findEffects(args: readonly Argument[]): Effects {
  const first = startOf(args);
  const start = args.findIndex((arg, index) => index >= first && (arg === null || /^[-(!]/.test(arg)));
  const operands = args.slice(first, start === -1 ? undefined : start);
  // The folders are listed in a file: nobody knows which.
  const isListed = args.includes('-files0-from');
  const paths = isListed ? [null] : operands.length === 0 ? ['.'] : operands;
  const valuesOf = (isOption: (word: string) => boolean): readonly Argument[] =>
    args.filter((_, index) => isOption(args[index - 1] ?? ''));
  const isDeleting = args.includes('-delete');
  return {
    reads: [...paths, ...valuesOf((word) => READS.test(word) && !word.endsWith('t'))],
    writes: [...valuesOf((word) => WRITES.has(word)), ...(isDeleting ? [...paths, null] : [])],
    isEffectKnown: !args.includes(null) && !isListed,
  };
}

/** Where its paths begin: behind what says how links are followed and what is traced. */
function startOf(args: readonly Argument[]): number {
  let at = 0;
  for (let word = args[at]; /^-(?:[HLP]|O\d*|D)$/.test(word ?? ''); word = args[at])
    at += word === '-D' ? 2 : 1;
  return at;
}
