import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../../sandbox/process-identity.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { readUnfinished } from '../../protocol/durable-file.ts';
import { namesIn } from '../../protocol/names-in.ts';
import type { SupervisorContext } from '../context.ts';

/**
 * Removes what supervisors and commands left in the state folder that were ended while they put a file in place; one
 * whose process is there may be at it. A failure is logged and tried at the next start.
 */
export function sweepUnfinished({ home, log }: Pick<SupervisorContext, 'home' | 'log'>): void {
  const { folder, killFolder, keysFolder, archiveFolder, draftsFolder } = home;
  for (const each of [folder, killFolder, keysFolder, archiveFolder, draftsFolder])
    try {
      for (const name of namesIn(each)) {
        const unfinished = readUnfinished(name);
        if (unfinished !== null && identify(unfinished.pid) === null)
          rmSync(join(each, name), { force: true });
      }
    } catch (error) {
      log.error('files that were never finished could not be removed', {
        folder: each,
        cause: ensureError(error).message,
      });
    }
}
