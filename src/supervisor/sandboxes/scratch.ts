import { execFile } from 'node:child_process';
import {
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import type { StepUser } from '../../../sandbox/launcher/ground.ts';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';

/**
 * Where instances have their scratch folders: outside of the state folder, which no step may see, and on a disk, since
 * the /tmp of a step lies in its memory.
 */
export const SCRATCH_ROOT = '/var/tmp';
const PREFIX = 'q-workflow-';
/** Follows the id in the name of a folder that is being removed; no id holds it. */
const ASIDE = '~';
const TOOL_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

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

/**
 * Removes it with all that is in it: at once where it is empty, else moved aside first, so that a run that is resumed
 * meanwhile gets a fresh one, and then by a process of its own, since a step may have left millions of files or a
 * tree so deep that its paths are too long for us. Call it when nothing of the instance runs.
 */
export async function removeScratch(id: string, root: string = SCRATCH_ROOT): Promise<void> {
  const folder = scratchFolder(id, root);
  try {
    rmdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    const aside = `${folder}${ASIDE}${process.pid}-${process.hrtime.bigint()}`;
    renameSync(folder, aside);
    await removeTree(aside);
  }
}

/** Removes what a removal that was cut short left of an instance's folder. */
export async function removeAside(name: string, root: string = SCRATCH_ROOT): Promise<void> {
  if (name.startsWith(PREFIX) && name.includes(ASIDE)) await removeTree(join(root, name));
}

/** A folder that a step closed to its owner is opened first; root needs no leave. */
async function removeTree(path: string): Promise<void> {
  try {
    await run('rm', ['-rf', '--', path]);
  } catch {
    // Without its answer: what it could not open is told by the second attempt.
    await run('chmod', ['-R', 'u+rwx', '--', path]).catch(() => undefined);
    await run('rm', ['-rf', '--', path]);
  }
}

/** It goes on when the supervisor leaves, which does not wait for it. Rejects with the first line of what it said. */
function run(file: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env: TOOL_ENV }, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.split('\n', 1)[0] || error.message, { cause: error }));
    });
    child.unref();
  });
}

/** Instances, of any home, that have a scratch folder, and names of what is left of one. */
export function listScratches(
  root: string = SCRATCH_ROOT,
): { readonly id: string; readonly aside: string | null }[] {
  return readdirSync(root)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => {
      const [id = '', rest] = name.slice(PREFIX.length).split(ASIDE, 2);
      return { id, aside: rest === undefined ? null : name };
    });
}
