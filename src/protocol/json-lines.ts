/** One JSON value a line, both ways, over a stream socket. */
import type { Socket } from 'node:net';

/** A line longer than this ends the connection: nothing we send comes near it. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

export interface JsonLines {
  /** Several go in one piece, so that the other side gets them in one, unless they are large. */
  send(...messages: unknown[]): void;
  /** Sends what is queued, then closes. */
  end(): void;
  destroy(): void;
  /** What was sent and not taken over by the kernel: grows when the other side does not read. */
  readonly backlogBytes: number;
}

export interface JsonLinesHandlers {
  /** Called for each parsed line, in order. What it throws ends the connection. */
  message(message: unknown): void;
  /** Called once, with the error that ended the connection, if any. */
  closed(error: Error | null): void;
}

/** Attaches to a connected socket. Messages are delivered in the order they were sent. */
export function openJsonLines(socket: Socket, handlers: JsonLinesHandlers): JsonLines {
  let parts: Buffer[] = [];
  let pendingBytes = 0;
  let failure: Error | null = null;
  let hasClosed = false;

  const fail = (error: Error): void => {
    failure ??= error;
    socket.destroy();
  };
  const take = (line: Buffer): void => {
    if (line.length === 0 || socket.destroyed) return;
    try {
      handlers.message(JSON.parse(line.toString('utf8')));
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  socket.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const piece = chunk.subarray(from, end);
      take(parts.length === 0 ? piece : Buffer.concat([...parts, piece]));
      parts = [];
      pendingBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      pendingBytes += chunk.length - from;
      if (pendingBytes > MAX_LINE_BYTES) fail(new Error(`a message is longer than ${MAX_LINE_BYTES} bytes`));
    }
  });
  socket.on('error', (error) => {
    failure ??= error;
  });
  socket.on('close', () => {
    if (hasClosed) return;
    hasClosed = true;
    handlers.closed(failure);
  });

  return {
    send: (...messages) => {
      if (socket.destroyed || !socket.writable) return;
      socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    get backlogBytes() {
      return socket.writableLength;
    },
  };
}
