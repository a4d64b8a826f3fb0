import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';

/** `name=value` flags as an object of texts; the supervisor reads them after the declared types. */
export function parsePairs(flag: string, pairs: readonly string[]): JsonObject {
  const entries = pairs.map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    if (equals < 1)
      throw new WorkflowError('USAGE', `${flag} takes name=value, and "${pair}" is not of that form`, {
        hint: `Write ${flag} name=value.`,
      });
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  // Not by assignment: a value named __proto__ would be lost without a word.
  return Object.fromEntries(entries);
}

/** A path (it has a slash or the ending of a file, which no name has) as an absolute one; anything else is a name. */
export function resolveTarget(given: string, workspace: string): string {
  const isPath = given.includes('/') || /\.[A-Za-z]\w*$/.test(given);
  if (!isPath) return given;
  const here = resolve(given);
  return existsSync(here) ? here : resolve(workspace, given);
}

/** The same where a bare word is a file too, but for `name@version` when there is no such file. */
export function resolveFile(given: string, workspace: string): string {
  const isAddress = /^[a-z0-9-]+@[^/]+$/.test(given) && !existsSync(resolve(given));
  if (isAddress) return given;
  return resolveTarget(given.includes('/') ? given : `./${given}`, workspace);
}
