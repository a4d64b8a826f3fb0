import type { Argument } from '../reading.ts';
import { readSed } from '../wrappers/sed.ts';
import type { Effects } from './operands.ts';

export function sedEffects(args: readonly Argument[]): Effects {
  const { reads, writes, files, isInPlace, suffix, isUnderstood } = readSed(args);
  const copies = suffix === '' ? [] : files.map((file) => copyOf(file, suffix));
  return {
    reads: [...files, ...reads],
    writes: [...writes, ...(isInPlace ? [...files, ...copies] : [])],
    isEffectKnown: isUnderstood && !files.includes(null),
  };
}

/** `sed -i.bak` keeps `a.bak`, `-i'old_*'` keeps `old_a`, `-i'.git/hooks/*'` puts it into another folder. */
function copyOf(file: Argument, suffix: string): Argument {
  if (file === null) return null;
  const start = file.lastIndexOf('/') + 1;
  const name = file.slice(start);
  const copy = suffix.includes('*') ? suffix.replaceAll('*', () => name) : `${name}${suffix}`;
  return copy.includes('/') ? copy : `${file.slice(0, start)}${copy}`;
}
