import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Diagnostics } from './diagnostics.ts';

/**
 * Listens on a unix socket of a fixed path, for this user alone: the lock of the home makes a file that is there a
 * leftover. `failed` hears of connections that cannot be accepted (no descriptor left, or no memory): those who are
 * connected go on. Rejects with what keeps it from listening.
 */
export function listen(server: Server, path: string, failed: (error: Error) => void): Promise<void> {
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', failed);
      chmodSync(path, 0o600);
      resolve();
    });
  });
}

/** Tells the log of connections that could not be accepted. */
export function notAccepted(log: Diagnostics, path: string): (error: Error) => void {
  return (error) => log.error('a connection could not be accepted', { socket: path, cause: error.message });
}
