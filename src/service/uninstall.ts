import { WorkflowError } from '../errors/workflow-error.ts';
import type { Home } from '../protocol/home.ts';
import { takeLock } from '../protocol/lock.ts';
import type { ServiceManager } from './manager.ts';
import { liveInstances, purgeHome } from './purge.ts';
import { isMarked, removeServiceMark } from './service-mark.ts';
import { readUnit, removeUnit } from './unit-file.ts';

export interface UninstallRequest {
  readonly home: Home;
  readonly manager: ServiceManager;
  readonly data: 'keep' | 'purge';
  readonly mode: 'do' | 'dry_run';
}

/** What `supervisor uninstall` prints. */
export interface UninstallDocument {
  readonly manager: ServiceManager['name'];
  readonly scope: ServiceManager['scope'];
  readonly unit: string;
  readonly file: string;
  readonly home: string;
  readonly is_dry_run: boolean;
  readonly is_purged: boolean;
  /** Instances that go on without a supervisor; the next one takes them over. */
  readonly left_running: number;
  /** Of the state folder: what is not ours, and so was not removed. */
  readonly kept: readonly string[];
}

/**
 * Stops and disables the service and removes its unit. The data stays, but for `purge`, which is refused while an
 * instance has not ended: before anything is touched, and again when nobody can start one any more. Throws
 * SERVICE_NOT_FOUND, SERVICE_FOREIGN, SERVICE_FAILED, PURGE_REFUSED.
 */
export async function uninstallService(request: UninstallRequest): Promise<UninstallDocument> {
  const { home, manager, data, mode } = request;
  const document = (left: number, kept: readonly string[]): UninstallDocument => ({
    manager: manager.name,
    scope: manager.scope,
    unit: manager.unit,
    file: manager.file,
    home: home.folder,
    is_dry_run: mode === 'dry_run',
    is_purged: mode === 'do' && data === 'purge',
    left_running: left,
    kept,
  });
  const isThere = readUnit(manager.file) !== null;
  // Without its unit it may be one that was cut short: this one ends it.
  if (!isThere && !isMarked(home, manager.file))
    throw new WorkflowError('SERVICE_NOT_FOUND', `no service is installed for ${home.folder}`, {
      details: { file: manager.file },
    });
  if (data === 'purge') refuseLive(home, 'nothing was changed');
  if (mode === 'dry_run') return document(liveInstances(home), []);
  if (isThere) await manager.disable();
  removeUnit(manager.file);
  await manager.load();
  const done = data === 'keep' ? document(liveInstances(home), []) : document(0, purge(home));
  // Last, so that what is cut short or refused before can be done again.
  removeServiceMark(home);
  return done;
}

function purge(home: Home): string[] {
  const lock = takeLock(home.lockFile);
  if (lock === null)
    throw new WorkflowError('PURGE_REFUSED', `another supervisor has started on ${home.folder} meanwhile`, {
      hint: `The service is gone, the data is there. ${STOP_FIRST}`,
    });
  try {
    refuseLive(home, 'the service is gone, the data is there');
    return purgeHome(home);
  } finally {
    lock.release();
  }
}

const STOP_FIRST =
  'End them: q workflow supervisor stop --instances stop. Then uninstall again, or remove the folder.';

function refuseLive(home: Home, state: string): void {
  const count = liveInstances(home);
  if (count === 0) return;
  throw new WorkflowError(
    'PURGE_REFUSED',
    `${count} instance${count === 1 ? ' has' : 's have'} not ended in ${home.folder}; ${state}`,
    { details: { instances: count } },
  );
}
