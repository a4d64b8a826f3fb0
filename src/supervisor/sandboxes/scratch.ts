import { chownSync, lchownSync, lstatSync, mkdirSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { StepUser } from '../../../sandbox/launcher/ground.ts';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';

/**
 * Where instances have their scratch folders: outside of the state folder, which no step may see, and on a disk, since
 * the /tmp of a step lies in its memory.
 */
export const SCRATCH_ROOT = '/var/tmp';
const PREFIX = 'q-workflow-';

/** Path of the scratch folder of an instance. Ids cannot be guessed, so nobody can be there first. */
export function scratchFolder(id: string, root: string = SCRATCH_ROOT): string {
  return join(root, `${PREFIX}${id}`);
}

/**
 * Makes the folder for the temporary files of an instance (0700, the steps' own), or finds it as an earlier process
 * of the instance left it. Throws HOME_UNSAFE when something else is at its place, STORE_FULL on a full disk.
 */
export function makeScratch(id: string, user: StepUser | null, root: string = SCRATCH_ROOT): string {
  const folder = scratchFolder(id, root);
  try {
    mkdirSync(folder, { mode: 0o700 });
    if (user !== null) chownSync(folder, user.uid, user.gid);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EEXIST')
      throw new WorkflowError(
        code === 'ENOSPC' || code === 'EDQUOT' ? 'STORE_FULL' : 'HOME_UNWRITABLE',
        `cannot make the scratch folder ${folder}: ${code}`,
        { cause: error },
      );
    if (user !== null && isLeftUnowned(folder)) lchownSync(folder, user.uid, user.gid);
    const owner = user?.uid ?? process.getuid?.();
    const stat = lstatSync(folder);
    if (stat.uid !== owner || !isPrivateFolder(stat))
      throw new WorkflowError(
        'HOME_UNSAFE',
        `the scratch folder ${folder} is not a private folder of user ${owner}`,
        {
          hint: `Look at what made it, then remove it: ${folder}`,
        },
      );
  }
  return folder;
}

/** As a supervisor leaves it that is killed between making it and giving it away: ours, with nothing in it. */
function isLeftUnowned(folder: string): boolean {
  const stat = lstatSync(folder);
  return stat.uid === process.getuid?.() && isPrivateFolder(stat) && readdirSync(folder).length === 0;
}

function isPrivateFolder(stat: Stats): boolean {
  return stat.isDirectory() && (stat.mode & 0o077) === 0;
}

/** Removes it with all that is in it. Call it when nothing of the instance runs: then nobody can move things about. */
export function removeScratch(id: string, root: string = SCRATCH_ROOT): void {
  rmSync(scratchFolder(id, root), { recursive: true, force: true });
}

/** Ids of the instances, of any home, that have a scratch folder. */
export function listScratches(root: string = SCRATCH_ROOT): string[] {
  return readdirSync(root)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length));
}
