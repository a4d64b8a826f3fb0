import type { ChildProcess } from 'node:child_process';
import { Server } from 'node:net';
import type { StepProxy } from './proxy.ts';

export { createProxy } from './proxy.ts';

/**
 * Gives a step that was launched with a channel its network: takes the listener from inside, then lets the command
 * begin. Call it in the same turn as the spawn; whoever made the proxy closes it after the end of the process.
 */
export function serveNetwork(child: ChildProcess, proxy: StepProxy): void {
  child.once('message', (_message, handle) => {
    if (!(handle instanceof Server)) return;
    proxy.accept(handle);
    // The channel is not needed any more, and nobody in the sandbox is to have it.
    child.send('ready', () => {
      if (child.connected) child.disconnect();
    });
  });
}
