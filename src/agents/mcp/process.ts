/** The process of an MCP server, and its two pipes as a transport of messages. */
import type { Writable } from 'node:stream';
import type { CommandSpec, Scope } from '../../../sandbox/isolation.ts';
import type { StepSandbox } from '../../../sandbox/launcher/launch.ts';
import { type Child, guardStdin, startChild } from '../../skills/child.ts';
import { Capture, type OutputSink, Pump } from '../../skills/output.ts';
import { Redactor } from '../../skills/redact.ts';
import { KILL_TIMEOUT_MS } from '../../skills/stop.ts';

type Transport = Extract<
  Parameters<typeof import('@ai-sdk/mcp')['createMCPClient']>[0]['transport'],
  { start(): Promise<void> }
>;
type Message = Parameters<Transport['send']>[0];

export interface ServerPlace {
  readonly scope: Scope;
  readonly sandbox: StepSandbox;
  readonly output: OutputSink;
  readonly masked: readonly string[];
}

/** A message that is longer ends the server: nobody could use it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const CLOSE_GRACE_MS = 1000;

/** A started server. Its stderr goes to the log of the step. */
export class ServerProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: Message) => void;
  isAlive = true;
  readonly #child: Child;
  readonly #place: ServerPlace;
  readonly #stderr = new Capture(0);
  readonly #pump: Pump;
  #parts: Buffer[] = [];
  #length = 0;
  #closing: Promise<void> | null = null;

  private constructor(child: Child, place: ServerPlace) {
    this.#child = child;
    this.#place = place;
    guardStdin(child.stdin, (error) => this.onerror?.(error));
    this.#pump = new Pump(child.stderr, {
      name: 'stderr',
      redactor: new Redactor(place.masked),
      take: (chunk) => this.#stderr.push(chunk),
      sink: () => place.output,
      onError: (error) => this.onerror?.(error),
    });
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stdout.on('error', (error) => this.onerror?.(error));
    child.exited.then(
      () => this.#ended(),
      (error: unknown) => {
        this.onerror?.(error instanceof Error ? error : new Error(String(error)));
        this.#ended();
      },
    );
  }

  /** Throws SPAWN_FAILED. `first` is written before any message. */
  static async start(
    name: string,
    spec: CommandSpec,
    place: ServerPlace,
    first: string | null,
  ): Promise<ServerProcess> {
    const server = new ServerProcess(await startChild(`@${name}`, spec, place.scope, place.sandbox), place);
    if (first !== null) server.#stdin.write(`${first}\n`);
    return server;
  }

  /** The end of what it said on stderr. */
  get lastWords(): string {
    return this.#stderr.tail().trim().split('\n').slice(-3).join('; ').slice(-300);
  }

  async start(): Promise<void> {
    // It was started before it became a transport.
  }

  async send(message: Message): Promise<void> {
    if (!this.isAlive) throw new Error('the server has ended');
    this.#stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends it with everything in its scope, and removes the scope. Several calls join the first. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  get #stdin(): Writable {
    return this.#child.stdin;
  }

  async #end(): Promise<void> {
    this.#stdin.end();
    await this.#place.scope.kill({ graceMs: CLOSE_GRACE_MS, timeoutMs: KILL_TIMEOUT_MS });
    await this.#pump.finish();
    this.#child.stdout.destroy();
    this.#ended();
    await this.#place.scope.remove();
  }

  #ended(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.onclose?.();
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#line(Buffer.concat([...this.#parts, chunk.subarray(from, at)]).toString('utf8'));
      this.#parts = [];
      this.#length = 0;
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length <= MAX_LINE_BYTES) return;
    this.#parts = [];
    this.#length = 0;
    this.onerror?.(new Error(`a message is longer than ${MAX_LINE_BYTES} bytes`));
    this.#ended();
  }

  #line(text: string): void {
    if (text.trim() === '') return;
    try {
      this.onmessage?.(JSON.parse(text) as Message);
    } catch (error) {
      // Servers print greetings on stdout although they may not.
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
