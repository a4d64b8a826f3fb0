import { userInfo } from 'node:os';

/**
 * A uid without an entry in the password file, as in many containers, has no shell and no home there, and Node throws
 * where oclif and we would ask for them: `env` gets what docker gives such a user. Asked only when one of them is missing.
 */
export function standInForEntry(env: NodeJS.ProcessEnv, ask: () => unknown = userInfo): void {
  if (env['SHELL'] !== undefined && env['HOME']) return;
  try {
    ask();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR')) throw error;
    env['SHELL'] ??= '/bin/sh';
    env['HOME'] ||= '/';
  }
}
