import { createServer, type Server, type Socket } from 'node:net';
import { listen } from '../listen.ts';

/** `instance.sock` before there is somebody to answer: who comes waits, and is not read yet. */
export interface InstanceDoor {
  /** Lets in who waits, in the order they came, and from now on everybody at once. */
  open(enter: (socket: Socket) => void, failed: (error: Error) => void): Server;
  /** Sends everybody away and takes the socket away. */
  close(): void;
}

/**
 * Opens the socket. Instances that an earlier supervisor left connect while the code of this one is loaded and their
 * journals are read: a hundred of them want as much of the processors as we do, but ours is one thread. One that came
 * before its journal was read must not be answered, it would be fenced and end.
 */
export async function openInstanceDoor(path: string): Promise<InstanceDoor> {
  const waiting: Socket[] = [];
  let enter = (socket: Socket): void => {
    // It may be gone again before anybody reads.
    socket.on('error', () => undefined);
    waiting.push(socket);
  };
  // Nobody can be told yet; who could not be accepted tries again.
  let failed = (_error: Error): void => undefined;
  const server = createServer({ pauseOnConnect: true }, (socket) => enter(socket));
  await listen(server, path, (error) => failed(error));
  return {
    open: (handle, whenFailed) => {
      failed = whenFailed;
      enter = (socket) => {
        handle(socket);
        socket.resume();
      };
      for (const socket of waiting.splice(0)) if (!socket.destroyed) enter(socket);
      return server;
    },
    close: () => {
      server.close();
      for (const socket of waiting.splice(0)) socket.destroy();
    },
  };
}
