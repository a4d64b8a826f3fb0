import { handOver } from './hand-over.ts';
import { nextQ, passedOn } from './next-q.ts';

/** Runs the next q of the PATH with this command line; null where there is none. `own` are paths of ours. */
export async function passOn(words: readonly string[], own: readonly string[]): Promise<number | null> {
  const program = nextQ(process.env, own);
  return program === null ? null : handOver(program, words, passedOn(process.env));
}
