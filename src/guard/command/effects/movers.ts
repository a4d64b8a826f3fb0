import { scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';
import { ENV } from '../wrappers/privilege.ts';
import { type Effects, NO_EFFECT } from './operands.ts';

const TIME = {
  flags: 'apvq',
  values: 'of',
  long: ['append', 'portability', 'verbose', 'quiet', 'output=', 'format=', 'help', 'version'],
};

/** Of the program, not of the word of the shell: `time -o FILE` writes. */
export function timeEffects(args: readonly Argument[]): Effects {
  return { ...NO_EFFECT, writes: valuesOf(args, TIME, '-o', '--output') };
}

/** `env -C FOLDER program`. */
export function envEffects(args: readonly Argument[]): Effects {
  return { ...NO_EFFECT, reads: valuesOf(args, ENV, '-C', '--chdir') };
}

/** Without a folder it goes home, with `-` where it was before. */
export function cdEffects(args: readonly Argument[]): Effects {
  const operands = args.filter((arg) => arg === null || !/^-[LPe@]+$|^--$/.test(arg));
  const isKnown = operands.length > 0 && !operands.includes('-');
  return { ...NO_EFFECT, reads: isKnown ? operands : [null] };
}

function valuesOf(
  args: readonly Argument[],
  spec: Parameters<typeof scanOptions>[1],
  ...names: readonly string[]
): readonly Argument[] {
  return scanOptions(args, spec)
    .options.filter(({ name }) => names.includes(name))
    .map(({ value }) => value ?? null);
}
