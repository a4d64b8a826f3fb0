import { closeSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { holdFolder } from './open-beneath.ts';

/** A folder to make things in where steps may rename and link: on Linux its path leads there whatever becomes of its name. */
export interface HeldPlace {
  readonly path: string;
  close(): void;
}

/** Holds a folder; a link at its place is an error (ENOTDIR). Elsewhere than on Linux it is just the path. */
export function holdPlace(path: string): HeldPlace {
  if (process.platform !== 'linux') return { path, close: () => undefined };
  const descriptor = holdFolder(path);
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
}

/** Makes a folder of our own (0700) in a held one, and holds it. Throws when somebody else's came into its place. */
export function makePlace(parent: HeldPlace, name: string): HeldPlace {
  const path = join(parent.path, name);
  mkdirSync(path, { mode: 0o700 });
  const made = holdPlace(path);
  if (statSync(made.path).uid === process.geteuid?.()) return made;
  made.close();
  throw new Error(`the folder "${name}" was replaced while it was made`);
}
