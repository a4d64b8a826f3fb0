const MAX_LENGTH = 200;
/** What Node.js prints after the message of an uncaught error: the stack, the fields of the error, its own version. */
const TRAILER = /^(?:\s*$|\s+at |\s+\[?\w+\]?: |\s*[{}[\]],?$|Node\.js v\d)/;

/** The line of stderr that says why a command failed: the last one, or the message above a stack of Node.js. */
export function lastWords(stderr: string): string {
  const lines = stderr.trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  // Only below its version line the rest is Node's: a command's own indented lines are words of its own.
  const said = /^Node\.js v\d/.test(last) ? (lines.findLast((line) => !TRAILER.test(line)) ?? last) : last;
  const line = said.trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 3)}…` : line;
}
