import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** How often a command line was passed on already; an environment variable. */
export const PASSED_ON_VARIABLE = 'Q_WORKFLOW_PASSED_ON';
/** A script that only starts us again cannot be told from a real q: it gets the command line back so often. */
const MOST_PASSES = 8;

/**
 * The first program called q on the PATH that is none of `own` (paths, compared after all links); null where there is
 * none, or where the command line has come back to us too often.
 */
export function nextQ(env: NodeJS.ProcessEnv, own: readonly string[]): string | null {
  if (passes(env) >= MOST_PASSES) return null;
  const ours = new Set(own.map(realPath));
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    // A q in the folder where somebody happens to be is nobody's q.
    if (!isAbsolute(folder)) continue;
    const file = join(folder, 'q');
    if (isProgram(file) && !ours.has(realPath(file))) return file;
  }
  return null;
}

/** The environment for it: it knows that it was called by us once more. */
export function passedOn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [PASSED_ON_VARIABLE]: String(passes(env) + 1) };
}

function passes(env: NodeJS.ProcessEnv): number {
  const count = Number(env[PASSED_ON_VARIABLE] ?? 0);
  return Number.isInteger(count) && count >= 0 ? count : 0;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file;
    throw error;
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Whatever keeps us from looking at it keeps us from running it.
    return false;
  }
}
