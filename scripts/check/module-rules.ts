import type { Finding, Source } from './sources.ts';

const MAX_LINES = 300;
/** A table, one row a code: splitting it would only hide rows. */
const LONG_ON_PURPOSE = ['src/errors/table.ts'];

export function checkLengths(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ file, lines }) => lines > MAX_LINES && !LONG_ON_PURPOSE.includes(file))
    .map(({ file, lines }) => ({ file, message: `has ${lines} lines, at most ${MAX_LINES} are allowed` }));
}

const KERNEL_FILE = /['"`]\/(?:proc|sys\/fs\/cgroup)\b/;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Only sandbox/ knows where the kernel keeps things: elsewhere nobody would notice that a machine differs. */
export function checkKernelFiles(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ file }) => !file.startsWith('sandbox/'))
    .filter(({ text }) => KERNEL_FILE.test(text.replace(COMMENT, '')))
    .map(({ file }) => ({ file, message: 'reads /proc or /sys/fs/cgroup; ask sandbox/ for it' }));
}
