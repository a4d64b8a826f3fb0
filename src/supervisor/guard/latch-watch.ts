import { type FSWatcher, watch } from 'node:fs';
import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorGround } from '../ground.ts';

/** The longest that a file is not seen where nothing tells of it. */
const LOOK_MS = 1000;

/**
 * Calls `look` when something in the folder changes. Where the kernel tells us nothing (any process of our user can
 * use up its inotify instances, a step too) the folder is looked at once a second instead, for good. Answers what
 * ends it.
 */
export function watchLatches(
  folder: string,
  look: () => void,
  log: SupervisorGround['log'],
  open: (folder: string, look: () => void) => FSWatcher = (path, told) =>
    watch(path, { persistent: false }, told),
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | null = null;
  const lookOften = (error: unknown): void => {
    log.error('the kill switches cannot be watched, looking at them every second', {
      cause: ensureError(error).message,
    });
    watcher?.close();
    timer ??= setInterval(look, LOOK_MS).unref();
  };
  try {
    watcher = open(folder, look);
    watcher.on('error', lookOften);
  } catch (error) {
    lookOften(error);
  }
  return () => {
    watcher?.close();
    clearInterval(timer);
  };
}
