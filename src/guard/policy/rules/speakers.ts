/** Programs that say or compare what they are told, and open nothing, so that a word nobody knows does no harm. */
import type { SimpleCommand } from '../../command/reading.ts';
import { sureName } from './program.ts';

const SPEAKERS: ReadonlySet<string> = new Set([
  'echo',
  'printf',
  'true',
  'false',
  ':',
  'test',
  '[',
  'basename',
  'dirname',
]);

/** Whether a command touches no file, whatever its words turn out to be. */
export function onlySpeaks({ program, args, areWordsWhole }: SimpleCommand): boolean {
  const name = program === null ? null : sureName(program);
  if (name === null || !SPEAKERS.has(name) || !areWordsWhole) return false;
  // In front of the format `-v NAME` would set a variable.
  return name !== 'printf' || (args[0] !== null && args[0]?.startsWith('-') !== true);
}
