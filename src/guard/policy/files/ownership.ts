import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import type { Problem } from '../../../errors/workflow-error.ts';

/** Who may own a policy file: only root, or also the user of this process. */
export type Owner = 'root' | 'user';

/**
 * What is wrong with a policy file and its folder: another owner, writable for others, a link that leads out of the
 * folder. Throws system errors, such as that it is not there.
 */
export function ownershipFaults(file: string, owner: Owner): Problem[] {
  const folder = dirname(file);
  const link = lstatSync(file);
  const real = realpathSync(file);
  const faults = [...statFaults(file, statSync(file), owner), ...statFaults(folder, statSync(folder), owner)];
  if (link.isSymbolicLink() && dirname(real) !== realpathSync(folder))
    faults.push(`${file} is a link that leads out of its folder, to ${real.split(sep).join('/')}`);
  return faults.map((message) => ({ severity: 'error', path: '$', message }));
}

function statFaults(path: string, stat: Stats, owner: Owner): string[] {
  const uid = process.getuid?.() ?? 0;
  const faults: string[] = [];
  if (stat.uid !== 0 && (owner === 'root' || stat.uid !== uid))
    faults.push(
      `${path} belongs to user ${stat.uid}, not to ${owner === 'root' ? 'root' : `you (${uid}) or root`}`,
    );
  // In a sticky folder such as /tmp nobody else can put another file in its place.
  const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
  if ((stat.mode & 0o022) !== 0 && !isSticky)
    faults.push(
      `${path} may be written by others (mode ${(stat.mode & 0o777).toString(8)}); chmod go-w ${path}`,
    );
  if (!stat.isDirectory() && !stat.isFile()) faults.push(`${path} is no regular file`);
  return faults;
}
