import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** Errors that mean: the cgroup, its process or this control file is not there (any more). */
const GONE = new Set(['ENOENT', 'ENODEV', 'ESRCH', 'ENOTDIR']);

const buffer = Buffer.allocUnsafe(4096);

/** Text of a control file, or null when the cgroup is gone. */
export function readControl(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (!isGone(error)) throw error;
    return null;
  }
}

/** Writes a control file in one write(2), as the kernel wants it; false when the cgroup is gone. */
export function writeControl(path: string, value: string): boolean {
  let descriptor: number | null = null;
  try {
    // Without O_CREAT a missing file is ENOENT; some files, like cgroup.kill, may only be opened for writing.
    descriptor = openSync(path, constants.O_WRONLY);
    writeSync(descriptor, value);
    return true;
  } catch (error) {
    if (!isGone(error)) throw error;
    return false;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** The value of `key` in a file of `key value` lines, 0 when it is not there. */
export function keyedNumber(text: string, key: string): number {
  const start = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  if (start === 0 && !text.startsWith(`${key} `)) return 0;
  return Number.parseInt(text.slice(start + key.length + 1), 10) || 0;
}

/** True for errors that say the cgroup or process vanished. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && GONE.has(String(error.code));
}

/** True where the kernel has the file, but not for this kind of cgroup (EOPNOTSUPP, which Node calls ENOTSUP): a threaded one. */
export function isUnsupported(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && (error.code === 'ENOTSUP' || error.code === 'EOPNOTSUPP')
  );
}

/**
 * A control file that is opened at its first read and read again at offset 0: a tenth of the cost of opening it each
 * time. Reads are null once the cgroup is gone; an open descriptor does not keep the cgroup from being removed.
 */
export class KeptFile {
  readonly #path: string;
  #descriptor: number | null = null;
  #isMissing = false;

  constructor(path: string) {
    this.#path = path;
  }

  read(): string | null {
    if (this.#isMissing) return null;
    try {
      this.#descriptor ??= openSync(this.#path, 'r');
      const length = readSync(this.#descriptor, buffer, 0, buffer.length, 0);
      return buffer.toString('latin1', 0, length);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.close();
      return null;
    }
  }

  /** Afterwards every read is null. */
  close(): void {
    this.#isMissing = true;
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** A control file that few looks need: opened for each, so that a thousand scopes that end together hold no descriptors for it. */
export class RareFile {
  readonly #path: string;
  #isMissing = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** As that of `KeptFile`: once null, always null. */
  read(): string | null {
    if (this.#isMissing) return null;
    const text = readControl(this.#path);
    this.#isMissing = text === null;
    return text;
  }

  /** Afterwards every read is null. */
  close(): void {
    this.#isMissing = true;
  }
}
