import { statSync } from 'node:fs';

/** Between two looks at the file: each costs some 10 us, a try to connect ten times that. */
const LOOK_MS = 50;

/** Tells one file at a path from the next one there, which may have got its inode; null = none. */
export function fileMark(path: string): string | null {
  try {
    const { ino, ctimeMs } = statSync(path);
    return `${ino} ${ctimeMs}`;
  } catch {
    // A folder that cannot be read for a moment holds no socket to connect to.
    return null;
  }
}

/**
 * Calls `act` once, after `ms`, or sooner when what lies at `path` is not what had this mark before the last try: a new
 * supervisor listens. No inotify: a user may have 128 of them, and the supervisor needs its own.
 */
export function retryAt(path: string, mark: string | null, ms: number, act: () => void): void {
  const end = performance.now() + ms;
  const look = (): void => {
    const leftMs = end - performance.now();
    if (leftMs <= 0 || fileMark(path) !== mark) act();
    else setTimeout(look, Math.min(LOOK_MS, leftMs));
  };
  setTimeout(look, Math.min(LOOK_MS, ms));
}
