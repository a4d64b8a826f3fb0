import { type FileFacts, resolvePath } from '../calls/resolve-path.ts';
import type { Part, PathUse } from '../calls/subject.ts';
import { programName } from './program.ts';

/** These do something to all that lies in a folder they are given: `rm -rf .` takes `.git` with it. */
const CHANGE_ALL: ReadonlySet<string> = new Set(
  'rm rmdir mv chmod chown chgrp shred find rsync unlink srm'.split(' '),
);

/** These read all that lies in it; `diff -N a b` shows each file of two folders, without `-r` too. */
const READ_ALL: ReadonlySet<string> = new Set(
  'diff rg ag ack rgrep tar zip cp rsync scp 7z pax cpio'.split(' '),
);
const READ_ALL_BY_OPTION: ReadonlySet<string> = new Set('grep egrep fgrep zgrep'.split(' '));
/** Long options also by their beginning; `-5r` is one of context and one more, `-re.*` has a pattern. */
const RECURSIVE = /^(-\w*[rRd]|--rec|--der|--di)/;

/** Whether a program works on all files below a path it is given, not on that path alone. */
export function takesWholeFolder({ command }: Part, use: PathUse): boolean {
  if (command === null || command.program === null || !use.isKnown) return false;
  const name = programName(command.program);
  if (use.access.includes('write')) {
    if (!CHANGE_ALL.has(name)) return false;
    // What something is moved into keeps what it has.
    return !(name === 'mv' || name === 'rsync') || command.args.at(-1) !== use.spelled;
  }
  if (READ_ALL.has(name)) return true;
  return READ_ALL_BY_OPTION.has(name) && command.args.some((arg) => arg === null || RECURSIVE.test(arg));
}

/** As many as a decision may look at: some 50 ms. Where there are more, nobody knows. */
const MAX_ENTRIES = 20_000;

/** What a folder is looked through for. */
export interface Picked {
  isNamed(path: string): boolean;
  isExcepted(path: string): boolean;
  /** False for most names: in a folder that is not named itself, they make no path that is. */
  mayEndNamed(name: string): boolean;
}

/**
 * A file in a folder, at any depth, that is picked; the folder itself where there are too many to look at, null where there
 * is none. Links are not followed, names that are left out are not looked into.
 */
export function heldIn(
  folder: string,
  files: FileFacts,
  picked: Picked,
  leftOut: ReadonlySet<string>,
): string | null {
  if (files.entry(folder).kind !== 'folder') return null;
  const open = [{ at: folder, isAllNamed: picked.isNamed(folder) }];
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { at, isAllNamed } = next;
    const names = files.names(at);
    if (names === null) continue;
    const looked = leftOut.size === 0 ? names : names.filter(({ name }) => !leftOut.has(name));
    seen += looked.length;
    if (seen > MAX_ENTRIES) return folder;
    const prefix = at === '/' ? '/' : `${at}/`;
    for (const { name, isFolder } of looked) {
      const mayBeNamed = isAllNamed || picked.mayEndNamed(name);
      if (!mayBeNamed && !isFolder) continue;
      const path = prefix + name;
      const isNamed = mayBeNamed && picked.isNamed(path);
      if (isNamed && !picked.isExcepted(path)) return path;
      if (isFolder) open.push({ at: path, isAllNamed: isNamed });
    }
  }
  return null;
}

/** Programs that look into the folders that links lead to, and the arguments that make them; null: they always do. */
const FOLLOWERS: Readonly<Record<string, RegExp | null>> = {
  grep: /^(-\w*R|--der)/,
  egrep: /^(-\w*R|--der)/,
  fgrep: /^(-\w*R|--der)/,
  rg: /^(-\w*L|--follow)/,
  ag: /^(-\w*f|--follow)/,
  find: /^-(L|follow)$/,
  fd: /^(-\w*L|--follow)/,
  ls: /^(-\w*[LH]|--der)/,
  du: /^(-\w*L|--der)/,
  tree: /^-\w*l/,
  diff: null,
  cp: /^(-\w*[LH]|--der)/,
  tar: /^(-?\w*h|--der)/,
  rsync: /^(-\w*[LkK]|--copy-)/,
  scp: null,
  zip: null,
};

/** Whether a program may read what links below a folder of its arguments lead to. */
export function followsLinks({ command }: Part): boolean {
  if (command === null || command.program === null) return false;
  const name = programName(command.program);
  if (!Object.hasOwn(FOLLOWERS, name)) return false;
  const option = FOLLOWERS[name] ?? null;
  return option === null || command.args.some((arg) => arg === null || option.test(arg));
}

/** Whether a link below a folder, at any depth and over further links, leads to a place that does not pass a test. */
export function leadsOut(folder: string, files: FileFacts, isInside: (path: string) => boolean): boolean {
  if (files.entry(folder).kind !== 'folder') return false;
  const open = [folder];
  const known = new Set(open);
  let seen = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const names = files.names(at) ?? [];
    seen += names.length;
    if (seen > MAX_ENTRIES) return true;
    for (const { name, isFolder, isLink } of names) {
      if (!isFolder && !isLink) continue;
      const path = `${at === '/' ? '' : at}/${name}`;
      const { real, doubt } = isLink ? resolvePath(path, at, files) : { real: [path], doubt: null };
      if (doubt !== null || !real.every(isInside)) return true;
      for (const each of real)
        if (!known.has(each) && (isFolder || files.entry(each).kind === 'folder')) {
          known.add(each);
          open.push(each);
        }
    }
  }
  return false;
}
