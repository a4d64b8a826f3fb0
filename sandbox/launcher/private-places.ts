import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isInside, type Mount } from './mount.ts';
import { realPath } from './real-path.ts';

/** What a home holds that no step is to see, also where the home is the workspace. */
const PRIVATE_IN_HOME = [
  '.ssh',
  '.gnupg',
  '.aws/credentials',
  '.aws/sso',
  '.aws/cli',
  '.config/gcloud',
  '.config/gh',
  '.azure',
  '.kube',
  '.docker',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.git-credentials',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.password-store',
];
/** Tokens that lie among the programs of cargo and npm. */
const TOKEN_FILES = ['credentials', 'credentials.toml'];

/** Places in a home that are hidden when the home itself is in view. */
export function privatePlaces(homes: readonly string[]): string[] {
  return homes.flatMap((home) => PRIVATE_IN_HOME.map((place) => join(home, place)));
}

/** Whether a path is, or lies in, what a home keeps private: told by its names alone, so it holds for everybody's home. */
export function isPrivate(path: string): boolean {
  return PRIVATE_IN_HOME.some((place) => `${path}/`.includes(`/${place}/`));
}

/**
 * Covers for what a folder of the host, shown at `target`, would show of a home's private places, whichever part of that
 * home the folder is. What is not reachable for the step's user needs none, and could get none.
 */
export function coversBelow(folder: string, target: string, isReachable: (path: string) => boolean): Mount[] {
  const rests = PRIVATE_IN_HOME.flatMap((place) => {
    const parts = place.split('/');
    return parts.map((_, depth) => ({ above: parts.slice(0, depth), rest: parts.slice(depth).join('/') }));
  })
    .filter(({ above }) => above.length === 0 || folder.endsWith(`/${above.join('/')}`))
    .map(({ rest }) => rest);
  return [...new Set([...rests, ...TOKEN_FILES])].flatMap((rest) => {
    const real = realPath(join(folder, rest));
    // A link that leads out shows nothing that is not in view by itself.
    if (real === null || !isInside(real, folder) || !isReachable(dirname(real))) return [];
    return cover(real, target + real.slice(folder.length));
  });
}

function cover(source: string, target: string): Mount[] {
  if (!statSync(source).isDirectory()) return [{ kind: 'mask', target }];
  return [
    { kind: 'empty', target },
    { kind: 'seal', target },
  ];
}
