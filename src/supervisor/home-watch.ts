import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import type { Server } from 'node:net';
import { ensureError, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import type { Home } from '../protocol/home.ts';
import type { Diagnostics } from './diagnostics.ts';
import { listen, notAccepted } from './listen.ts';

/** What of the state folder is not there any more. */
export interface Loss {
  /**
   * `state`: folder or database, so that nobody can go on with its runs. `hold`: what kept others from its database
   * (the lock), or what SQLite writes ahead and puts into the database when it is closed: they can be taken over.
   */
  readonly what: 'state' | 'hold';
  /** The folder is deleted, not only somewhere else. */
  readonly isDeleted: boolean;
  readonly error: WorkflowError;
}

export interface HomeWatch {
  look(): void;
  close(): void;
}

const LOOK_MS = 2000;

/**
 * Watches that the files by which a supervisor is found and is the only one are its own. `lost` is told once. A socket
 * that somebody took away is opened again: who is connected stays so.
 */
export function watchHome(
  home: Home,
  log: Diagnostics,
  sockets: readonly { readonly server: Server; readonly path: string }[],
  lost: (loss: Loss) => void,
): HomeWatch {
  // Held open, so that its inode is given to no other folder; the database, the lock and the sockets are open anyway.
  const folder = openSync(home.folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const own = [home.folder, home.database, home.lockFile, `${home.database}-wal`].map((path) => ({
    path,
    mark: markOf(path),
  }));
  const listening = sockets.map((socket) => ({ ...socket, mark: markOf(socket.path) }));
  let isOver = false;

  const look = (): void => {
    if (isOver) return;
    const gone = own.find(({ path, mark }) => !isSame(mark, markOf(path)));
    if (gone !== undefined) {
      const what = gone.path === home.folder || gone.path === home.database ? 'state' : 'hold';
      const error = new WorkflowError('HOME_LOST', `${gone.path} was removed or replaced while we ran`);
      const isDeleted = fstatSync(folder).nlink === 0;
      close();
      lost({ what, isDeleted, error });
      return;
    }
    for (const socket of listening)
      if (!isSame(socket.mark, markOf(socket.path))) {
        log.warn('a socket was removed or replaced, it is opened again', { socket: socket.path });
        // First the close: it removes whatever lies at the path.
        socket.server.close();
        socket.server.removeAllListeners('error');
        socket.mark = null;
        listen(socket.server, socket.path, notAccepted(log, socket.path)).then(
          () => {
            socket.mark = markOf(socket.path);
          },
          (error: unknown) =>
            log.error('a socket could not be opened', {
              socket: socket.path,
              cause: ensureError(error).message,
            }),
        );
      }
  };
  const close = (): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer);
    closeSync(folder);
  };

  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { look, close };
}

/** Which file it is; `gone` when there is none, null when nobody can tell: then nothing is concluded. */
function markOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const code = systemCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : null;
  }
}

function isSame(before: string | null, now: string | null): boolean {
  return before === null || now === null || before === now;
}
