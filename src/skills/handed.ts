import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Handed } from '../../sandbox/launcher/launch.ts';
import { systemCode } from '../errors/workflow-error.ts';

const FIRST_DESCRIPTOR = 3;

/** The entries of `stdio` for what a launch hands over. `close` closes what was opened here, after the spawn. */
export function openHanded(handed: readonly Handed[]): {
  readonly stdio: readonly ('pipe' | 'ipc' | number)[];
  close(): void;
} {
  const opened: number[] = [];
  const close = (): void => {
    for (const descriptor of opened) closeSync(descriptor);
  };
  try {
    const stdio = handed.map((item) => {
      if (item.kind === 'open') return item.fd;
      if (item.kind === 'channel') return 'ipc';
      if (item.kind !== 'file') return 'pipe';
      // Opened for each launch: a shared descriptor would share its position.
      const descriptor = openSync(item.path, 'r');
      opened.push(descriptor);
      return descriptor;
    });
    return { stdio, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Writes the texts and answers what comes back on the status descriptor, whole, when it is closed. */
export function handOver(child: ChildProcess, handed: readonly Handed[]): Promise<string> {
  const status = Promise.withResolvers<string>();
  for (const [index, item] of handed.entries()) {
    if (item.kind !== 'text' && item.kind !== 'status') continue;
    // Pipes beyond stderr are sockets for both ways.
    const pipe = child.stdio[FIRST_DESCRIPTOR + index] as Socket;
    let said = '';
    pipe.on('data', (chunk) => {
      said += String(chunk);
    });
    pipe.on('error', (error) => {
      const code = systemCode(error);
      // The launcher ended before it had read all: its end tells.
      if (code !== 'EPIPE' && code !== 'ECONNRESET') child.emit('error', error);
    });
    if (item.kind === 'text') pipe.end(item.text);
    else pipe.once('close', () => status.resolve(said));
  }
  return status.promise;
}
