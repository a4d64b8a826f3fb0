import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemView } from './ground.ts';
import { isInside, type Mount, show } from './mount.ts';

/** All that a step sees of the host besides workspace and tools. Other folders at the top hold data, not programs. */
const SYSTEM_FOLDERS = [
  'usr',
  'bin',
  'sbin',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'etc',
  'opt',
  'var',
  'nix',
  'gnu',
];
/**
 * Of /proc what uid 0 could read where others cannot, or learn of the kernel. /proc/kcore and /proc/kmsg are not here: they ask for
 * capabilities (fs/proc/kcore.c, kernel/printk/printk.c), of which a step has none. Each mask costs a step a quarter of a millisecond.
 */
const KERNEL_FILES = [
  'kallsyms',
  'kpagecount',
  'kpageflags',
  'kpagecgroup',
  'keys',
  'slabinfo',
  'timer_list',
  'vmallocinfo',
  'sched_debug',
  'latency_stats',
];
/** More masks than this would cost more than the step: then whole folders are hidden. */
const MAX_MASKS = 200;

/**
 * Reads what the host has and answers the part of the file view that all steps share: the system read-only, a /proc
 * of its own, a minimal /dev, everything temporary private and empty. As `isRoot` the owner of nearly every file is
 * the step itself, so what only root may read, or write of the kernel, is taken away file by file. Synchronous, some
 * milliseconds as root: call it once a minute, not once a step.
 */
export function surveySystem(isRoot: boolean): SystemView {
  const mounts: Mount[] = [];
  const folders: string[] = [];
  for (const name of SYSTEM_FOLDERS) {
    const folder = `/${name}`;
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    mounts.push(
      stat.isSymbolicLink() ? { kind: 'link', target: folder, to: readlinkSync(folder) } : show(folder),
    );
    folders.push(folder);
  }
  mounts.push({ kind: 'proc', target: '/proc' }, { kind: 'dev', target: '/dev' });
  for (const target of ['/dev/shm', '/tmp', '/var/tmp', '/run', '/root', '/home'])
    mounts.push({ kind: 'empty', target });
  mounts.push(...resolver());
  if (isRoot) mounts.push(...kernelMasks(), ...privateFiles(['/etc', '/var/backups', '/var/spool']));
  return { mounts, folders };
}

/** /etc/resolv.conf is often a link into /run, which is empty inside. */
function resolver(): Mount[] {
  try {
    const file = realpathSync('/etc/resolv.conf');
    return isInside(file, '/run') || isInside(file, '/mnt') ? [show(file)] : [];
  } catch (error) {
    if (isOutOfReach(error)) return [];
    throw error;
  }
}

/** As uid 0 a step owns the files of /proc by which everybody's kernel is changed: none of it may be written. */
function kernelMasks(): Mount[] {
  const masks = KERNEL_FILES.map((name) => `/proc/${name}`)
    .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    .map((target): Mount => ({ kind: 'mask', target }));
  return [...masks, { kind: 'seal', target: '/proc' }];
}

/** Masks for what others may not read. A folder closed to others is hidden whole. */
function privateFiles(roots: readonly string[]): Mount[] {
  return roots.flatMap((root) => {
    const mounts: Mount[] = [];
    look(root, mounts);
    if (mounts.length <= MAX_MASKS) return mounts;
    const first = mounts.map(({ target }) =>
      target
        .split('/')
        .slice(0, root.split('/').length + 1)
        .join('/'),
    );
    return [...new Set(first)].map((target) => maskFor(target));
  });
}

function look(path: string, mounts: Mount[]): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isSymbolicLink()) return;
  const needed = stat.isDirectory() ? 0o005 : 0o004;
  if ((stat.mode & needed) !== needed) mounts.push(maskFor(path));
  else if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name), mounts);
}

function maskFor(target: string): Mount {
  return { kind: lstatSync(target).isDirectory() ? 'empty' : 'mask', target };
}

/** Why no file view can hold this workspace (a real path), in a few words; null when one can. */
export function workspaceFault(workspace: string, hidden: readonly string[]): string | null {
  const holder = hidden.find((folder) => isInside(workspace, folder));
  if (holder !== undefined) return `the workspace ${workspace} lies in the state folder`;
  const isSystem =
    TOO_WIDE.has(workspace) ||
    [...SYSTEM_FOLDERS, 'boot', 'dev', 'proc', 'sys', 'run']
      .map((name) => `/${name}`)
      .some((folder) => isInside(workspace, folder) && !DATA_BELOW.some((data) => isBelow(workspace, data)));
  return isSystem ? `the workspace ${workspace} is a folder of the system` : null;
}

/** Whole trees that a step must not get as its workspace. */
const TOO_WIDE = new Set(['/', '/home', '/tmp', '/var/tmp', '/mnt', '/media', '/srv']);
/** Below these within the system people do keep projects. */
const DATA_BELOW = [
  '/usr/local/src',
  '/usr/src',
  '/opt',
  '/var/lib',
  '/var/www',
  '/var/tmp',
  '/run/user',
  '/run/media',
];

function isBelow(path: string, folder: string): boolean {
  return path !== folder && isInside(path, folder);
}

function isOutOfReach(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR' || code === 'ELOOP';
}
