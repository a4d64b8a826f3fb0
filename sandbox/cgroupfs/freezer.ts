import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { keyedNumber, readControl, writeControl } from './control-file.ts';
import { below, childNames, type Folders } from './folders.ts';
import { waitFor } from './wait.ts';

/** Freezing takes about a millisecond; a process stuck in the kernel (a dead network disk) can hold it up. */
const FREEZE_TIMEOUT_MS = 2000;

/** Asks for the freeze without waiting for it. False when the scope is gone or has no freezer. */
export function requestFreeze(folders: Folders): boolean {
  const { unified, freezer } = folders;
  if (unified !== undefined) return writeControl(`${unified}/cgroup.freeze`, '1');
  return freezer !== undefined && writeControl(`${freezer}/freezer.state`, 'FROZEN');
}

export function thaw(folders: Folders): void {
  const { unified, freezer } = folders;
  if (unified !== undefined) writeControl(`${unified}/cgroup.freeze`, '0');
  else if (freezer !== undefined) writeControl(`${freezer}/freezer.state`, 'THAWED');
}

/** Thaws a scope and each below it, however it was frozen: a v1 task dies of SIGKILL only when all of these let it. */
export function thawTree(folders: Folders): void {
  thaw(folders);
  for (const name of childNames(folders.unified ?? folders.freezer ?? '')) thawTree(below(folders, name));
}

/** True when every process of the scope stands still, or the scope is gone. */
export function isFrozen(folders: Folders): boolean {
  const { unified, freezer } = folders;
  if (unified !== undefined) {
    const events = readControl(`${unified}/cgroup.events`);
    return events === null || keyedNumber(events, 'frozen') === 1;
  }
  const state = readControl(`${freezer}/freezer.state`);
  return state === null || state.trim() === 'FROZEN';
}

/** Resolves true when all stand still within the time. */
export function untilFrozen(folders: Folders, timeoutMs: number): Promise<boolean> {
  const eventsFile = folders.unified === undefined ? null : `${folders.unified}/cgroup.events`;
  return waitFor({ eventsFile, isDone: () => isFrozen(folders), timeoutMs });
}

/** Freezes a scope; thaws it again and throws SCOPE_FAILED when it does not come to rest in 2 s. */
export async function freezeWhole(name: string, folders: Folders): Promise<void> {
  if (!requestFreeze(folders)) return;
  if (await untilFrozen(folders, FREEZE_TIMEOUT_MS)) return;
  thaw(folders);
  throw new WorkflowError('SCOPE_FAILED', `Scope "${name}" did not freeze within ${FREEZE_TIMEOUT_MS} ms.`);
}
