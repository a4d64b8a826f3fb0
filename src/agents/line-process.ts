/** A process in a scope and sandbox that is spoken with by lines: an MCP server, an agent of another maker. */
import type { CommandSpec, Scope } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import { ensureError } from '../errors/workflow-error.ts';
import { type Child, type ChildExit, guardStdin, startChild } from '../skills/child.ts';
import { LineReader } from '../skills/lines.ts';
import { Capture, type OutputSink, Pump } from '../skills/output.ts';
import { Redactor } from '../skills/redact.ts';
import { KILL_TIMEOUT_MS } from '../skills/stop.ts';
import { within } from '../skills/waits.ts';

export interface ProcessPlace {
  readonly scope: Scope;
  readonly sandbox: StepSandbox;
  /** Takes its stderr. */
  readonly output: OutputSink;
  readonly masked: () => readonly string[];
}

export interface LineHandlers {
  /** One line of its stdout, without the end. None comes after `ended`. */
  line(text: string): void;
  /** A pipe broke. */
  failed(error: Error): void;
  /** A line was longer than anybody could use; nothing is read any more. */
  tooLong(maxBytes: number): void;
  /** Once: the process has ended or is being ended. Null where its end is not known. */
  ended(exit: ChildExit | null): void;
}

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const HEARD_MS = 200;

export class LineProcess {
  isAlive = true;
  readonly #child: Child;
  readonly #place: ProcessPlace;
  readonly #handlers: LineHandlers;
  readonly #stderr = new Capture(0);
  readonly #pump: Pump;
  #closing: Promise<void> | null = null;

  private constructor(child: Child, place: ProcessPlace, handlers: LineHandlers) {
    this.#child = child;
    this.#place = place;
    this.#handlers = handlers;
    guardStdin(child.stdin, (error) => handlers.failed(error));
    this.#pump = new Pump(child.stderr, {
      name: 'stderr',
      redactor: new Redactor([], undefined, place.masked),
      take: (chunk) => this.#stderr.push(chunk),
      sink: () => place.output,
      onError: (error) => handlers.failed(error),
    });
    const lines = new LineReader(
      MAX_LINE_BYTES,
      (line) => {
        if (this.isAlive) handlers.line(line);
      },
      () => {
        child.stdout.destroy();
        handlers.tooLong(MAX_LINE_BYTES);
        this.#ended(null);
      },
    );
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stdout.on('error', (error) => handlers.failed(error));
    void this.#watch();
  }

  /** Throws SPAWN_FAILED or PROCESS_LIMIT. `name` is for messages. */
  static async start(
    name: string,
    spec: CommandSpec,
    place: ProcessPlace,
    handlers: LineHandlers,
  ): Promise<LineProcess> {
    return new LineProcess(await startChild(name, spec, place.scope, place.sandbox), place, handlers);
  }

  /** The end of what it said on stderr. */
  get lastWords(): string {
    return this.#stderr.tail().trim().split('\n').slice(-3).join('; ').slice(-300);
  }

  /** True once the kernel has killed some of it for memory. */
  get wasOutOfMemory(): boolean {
    return this.#place.scope.usage().oomKills > 0;
  }

  /** Bytes that were written and not taken yet: grows when it does not read. */
  get backlogBytes(): number {
    return this.#child.stdin.writableLength;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Whoever is slower than it reads no further until `resume`. */
  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  /** All processes of its scope stand still; what it said already is heard. */
  freeze(): Promise<void> {
    return this.#place.scope.freeze();
  }

  thaw(): Promise<void> {
    return this.#place.scope.thaw();
  }

  /** Closes its stdin, ends it with everything in its scope, and removes the scope. Several calls join the first. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#end(graceMs);
    return this.#closing;
  }

  async #end(graceMs: number): Promise<void> {
    this.#child.stdin.end();
    await this.#place.scope.kill({ graceMs, timeoutMs: KILL_TIMEOUT_MS });
    await this.#pump.finish();
    this.#child.stdout.destroy();
    this.#ended(null);
    await this.#place.scope.remove();
  }

  /** What it said before its end is heard first: the pipe closes after it. */
  async #watch(): Promise<void> {
    try {
      const exit = await this.#child.exited;
      await this.#untilHeard();
      this.#ended(exit);
    } catch (error) {
      this.#handlers.failed(ensureError(error));
      this.#ended(null);
    }
  }

  /** Something that it left behind may hold the pipe open: that is not waited for. */
  async #untilHeard(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { stdout } = this.#child;
    if (stdout.readableEnded || stdout.destroyed) return;
    stdout.once('end', resolve);
    stdout.once('close', resolve);
    do await within(promise, HEARD_MS);
    while (stdout.isPaused() && !stdout.destroyed);
  }

  #ended(exit: ChildExit | null): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#handlers.ended(exit);
  }
}
