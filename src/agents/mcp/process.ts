/** The process of an MCP server as a transport of messages. */
import type { CommandSpec } from '../../../sandbox/isolation.ts';
import { LineProcess, type ProcessPlace } from '../line-process.ts';

type Transport = Extract<
  Parameters<typeof import('@ai-sdk/mcp')['createMCPClient']>[0]['transport'],
  { start(): Promise<void> }
>;
type Message = Parameters<Transport['send']>[0];

const CLOSE_GRACE_MS = 1000;

/** A started server. Its stderr goes to the log of the step. */
export class ServerProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: Message) => void;
  #process: LineProcess | null = null;

  /** Throws SPAWN_FAILED. `first` is written before any message. */
  static async start(
    name: string,
    spec: CommandSpec,
    place: ProcessPlace,
    first: string | null,
  ): Promise<ServerProcess> {
    const server = new ServerProcess();
    server.#process = await LineProcess.start(`@${name}`, spec, place, {
      line: (text) => server.#line(text),
      failed: (error) => server.onerror?.(error),
      tooLong: (maxBytes) => server.onerror?.(new Error(`a message is longer than ${maxBytes} bytes`)),
      ended: () => server.onclose?.(),
    });
    if (first !== null) server.#process.write(first);
    return server;
  }

  get isAlive(): boolean {
    return this.#process?.isAlive ?? false;
  }

  /** The end of what it said on stderr. */
  get lastWords(): string {
    return this.#process?.lastWords ?? '';
  }

  async start(): Promise<void> {
    // It was started before it became a transport.
  }

  async send(message: Message): Promise<void> {
    if (!this.isAlive) throw new Error('the server has ended');
    this.#process?.write(JSON.stringify(message));
  }

  /** Ends it with everything in its scope, and removes the scope. Several calls join the first. */
  async close(): Promise<void> {
    await this.#process?.close(CLOSE_GRACE_MS);
  }

  #line(text: string): void {
    if (text.trim() === '') return;
    try {
      const value = JSON.parse(text) as Message | Message[];
      // Older servers say several things at once.
      for (const message of Array.isArray(value) ? value : [value]) this.onmessage?.(message);
    } catch (error) {
      // Servers print greetings on stdout although they may not.
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
