/**
 * Places of the kernel that are another file for each process that opens them, or no file at all: who decides about
 * a path cannot know what it will be for the one who opens it.
 */
const MAGIC: readonly RegExp[] = [
  // Whatever a process has open, its root, its memory (proc(5)).
  /^\/proc\/(self|thread-self|\d+)(\/|$)/,
  /^\/dev\/(fd|stdin|stdout|stderr)(\/|$)/,
  // No files: bash opens a connection for them (bash(1), REDIRECTION).
  /^\/dev\/(tcp|udp)\//,
];

/** Whether an absolute path is, or leads through, such a place. */
export function isMagicPath(path: string): boolean {
  return (path.startsWith('/proc') || path.startsWith('/dev')) && MAGIC.some((each) => each.test(path));
}

/** Swallows what is written and gives nothing: harmless whatever the rules are. */
export const NULL_DEVICE = '/dev/null';
