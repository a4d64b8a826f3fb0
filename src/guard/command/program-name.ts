/** Programs that some systems install with a `g` in front: the GNU ones. */
const GNU =
  /^g(?=(?:awk|sed|find|xargs|tar|make|env|nice|timeout|stdbuf|nohup|chroot|split|sort|cp|mv|ln|rm|install|dd|tee|truncate|shred|touch|mkdir|cat|head|tail|ls|du|time|grep)$)/;
const VERSION = /^([a-z]+(?:-[a-z]+)*?)-?\d+(?:\.\d+)*$/;
/** Names that end in a digit and aren't a version of something. */
const WITH_DIGIT = new Set([
  'base64',
  'base32',
  'bzip2',
  'bunzip2',
  'linux32',
  'linux64',
  'sqlite3',
  'm4',
  'b2',
  'i386',
  'i486',
  'i586',
  'i686',
  'ia64',
  'uname26',
  'aarch64',
  'ppc32',
  'ppc64',
  'mips32',
  'mips64',
  'parisc32',
  'parisc64',
  'sparc32',
  'sparc64',
  'riscv64',
  's390',
]);

/**
 * The name under which our tables know a program: no folder, no version (`python3.12`), no `g` of GNU, no case. Only
 * for finding what a program does; a rule compares the program as it was written.
 */
export function tableName(program: string): string {
  const base = program
    .slice(program.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/\.exe$/, '');
  if (WITH_DIGIT.has(base) || /^(?:sha|b2|md)\d/.test(base)) return base;
  const name = VERSION.exec(base)?.[1] ?? base;
  return name.replace(GNU, '');
}
