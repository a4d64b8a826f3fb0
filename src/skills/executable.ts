import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';

/**
 * The file that a command name means: through PATH, or relative to `cwd` when it has a slash. It is looked at before
 * the start so that the error names the file and the reason; throws SPAWN_FAILED.
 */
export function resolveExecutable(skill: string, command: string, cwd: string, path: string): string {
  const failed = (why: string, hint?: string) =>
    new WorkflowError('SPAWN_FAILED', `skill "${skill}": ${why}`, hint === undefined ? {} : { hint });
  if (!isFolder(cwd))
    throw failed(`its working folder ${cwd} does not exist`, 'Make the folder, or mend working_dir.');
  if (!command.includes('/')) {
    for (const folder of path.split(delimiter)) {
      const file = resolve(cwd, folder, command);
      if (folder !== '' && look(file) === null) return file;
    }
    throw failed(
      `the command "${command}" was not found in PATH (${path})`,
      `Install ${command}, or give its path.`,
    );
  }
  const file = resolve(cwd, command);
  const trouble = look(file) ?? lookInside(file);
  if (trouble !== null) throw failed(`the command ${file} ${trouble.why}`, trouble.hint);
  return file;
}

interface Trouble {
  readonly why: string;
  readonly hint: string;
}

function look(file: string): Trouble | null {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) return { why: 'is a folder', hint: 'Name a file.' };
    if (!stat.isFile()) return { why: 'is no regular file', hint: 'Name a regular file.' };
    accessSync(file, constants.X_OK);
    return null;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES') return { why: 'is not executable', hint: `Run chmod +x ${file}` };
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return { why: 'was not found', hint: 'Mend the path in the skill file.' };
    return {
      why: `cannot be looked at (${code ?? 'unknown error'})`,
      hint: 'Check the path and its permissions.',
    };
  }
}

/**
 * A text without `#!` would be run by whatever shell the launcher happens to be (execvp(3) falls back to sh), so it
 * is refused; so is a script whose interpreter is missing, which otherwise shows as a bare "not found" of the script.
 */
function lookInside(file: string): Trouble | null {
  const head = readHead(file);
  if (head === null) return null;
  if (!head.startsWith('#!')) {
    if (head.includes('\0') || head.startsWith('\x7fELF')) return null;
    const why = head === '' ? 'is empty' : 'is a script without a #! line';
    return { why, hint: 'Begin it with a line such as #!/bin/sh or #!/usr/bin/env python3' };
  }
  const interpreter = /^#!\s*(\S+)/.exec(head)?.[1];
  if (interpreter === undefined) return { why: 'has an empty #! line', hint: 'Name an interpreter in it.' };
  const trouble = look(interpreter);
  if (trouble === null) return null;
  const hint = head.split('\n')[0]?.endsWith('\r')
    ? 'The file has Windows line ends: convert them.'
    : trouble.hint;
  return { why: `names the interpreter ${interpreter}, which ${trouble.why}`, hint };
}

function readHead(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // An execute-only file may run all the same; anything else shows when it is started.
    if (systemCode(error) !== undefined) return null;
    throw error;
  }
  try {
    const head = Buffer.alloc(256);
    return head.toString('latin1', 0, readSync(descriptor, head));
  } finally {
    closeSync(descriptor);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
