import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';

/** Variables of the caller's environment that steps inherit; everything else stays behind. */
const INHERITED_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'SHELL',
];

/**
 * Who calls, and from where: the workspace is the working folder unless another is given. Throws USAGE when that is no
 * folder.
 */
export function callerHere(given?: string): Caller {
  const workspace = given === undefined ? workingFolder() : resolve(given);
  // With the dot it is there only as a folder, and below a file nothing is.
  if (!existsSync(`${workspace}/.`))
    throw new WorkflowError('USAGE', `the workspace ${workspace} is not a folder`, {
      hint: 'Name a folder that is there.',
    });
  const userHome = process.env['HOME'] || homedir();
  return {
    workspace,
    userHome,
    configHome: process.env['XDG_CONFIG_HOME'] || join(userHome, '.config'),
    person: process.env['USER'] || userName(),
  };
}

/** The part of our environment that steps of a run inherit. */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    INHERITED_VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new WorkflowError('USAGE', 'the current folder is not there any more', {
      cause: error,
      hint: 'Change to one that is.',
    });
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A uid without an entry in the password file (containers) has no name.
    if (error instanceof Error) return String(process.getuid?.() ?? 'unknown');
    throw error;
  }
}
