import { readFileSync } from 'node:fs';
import { isGone } from './cgroupfs/control-file.ts';

/** The program of a process and how many arguments it has, not what they are: they may hold secrets. `?` when it is gone. */
export function commandOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    return `${words[0] ?? '?'} (+${Math.max(0, words.length - 1)} arguments)`;
  } catch (error) {
    if (!isGone(error)) throw error;
    return '?';
  }
}
