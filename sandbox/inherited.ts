import { closeSync, readdirSync, readFileSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/**
 * Closes every descriptor beyond stderr that our own children would inherit. Node keeps its own from them and those up
 * to 15 that it was started with; a higher one, left open by whoever started us, would go all the way to a step and
 * lead it out of its sandbox. Call it early, before something is opened for a child. Linux only, else it does nothing.
 */
export function closeInherited(): void {
  for (const name of process.platform === 'linux' ? readdirSync('/proc/self/fd') : []) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(descriptor);
    } catch (error) {
      // The descriptor with which the list was read is closed by now.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}
