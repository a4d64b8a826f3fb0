import { realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import type { ToolRoom } from './tool.ts';

/**
 * The workflow that a client names: a name, or a file below the working folder of the server (by all links). Throws
 * POLICY_DENIED for another file, and where only certain names were allowed; WORKFLOW_NOT_FOUND for no file.
 */
export function clientTarget(given: string, { caller, allowed }: ToolRoom): string {
  const isFile = given.endsWith('.json') || given.includes('/');
  if (allowed !== null && (isFile || !allowed.includes(given)))
    throw new WorkflowError('POLICY_DENIED', `this server does not offer the workflow "${given}"`, {
      hint: `It was started for ${allowed.join(', ')} alone (--only).`,
    });
  if (!isFile) return given;
  const folder = realPath(caller.workspace, given);
  const file = resolve(caller.workspace, given);
  // What lies elsewhere is not even looked at: a client learns nothing of it.
  if (!isBelow(caller.workspace, file) && !isBelow(folder, file)) throw elsewhere(given, folder);
  const real = realPath(file, given);
  if (!isBelow(folder, real)) throw elsewhere(given, folder);
  return real;
}

function realPath(path: string, given: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new WorkflowError('WORKFLOW_NOT_FOUND', `cannot read ${given}: ${ensureError(error).message}`, {
      cause: error,
    });
  }
}

function isBelow(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith('../');
}

function elsewhere(given: string, folder: string): WorkflowError {
  return new WorkflowError('POLICY_DENIED', `${given} is not below ${folder}, the folder of this server`, {
    hint: 'A person may register it: q workflow register <file>; then it can be run by its name.',
  });
}
