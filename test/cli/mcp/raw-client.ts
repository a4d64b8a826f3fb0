/** An MCP client that sees every line: for what a real client would hide. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Message {
  readonly jsonrpc?: string;
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  readonly data: Record<string, unknown>;
  /** What programs are told of an error. */
  readonly meta: Record<string, unknown>;
}

const DEADLINE_MS = 60_000;

export class RawClient {
  readonly child: ChildProcess;
  /** Every line of stdout, as it came. */
  readonly lines: string[] = [];
  stderr = '';
  readonly #waiting = new Map<
    number,
    { readonly answered: (message: Message) => void; readonly lost: () => void }
  >();
  readonly #notified: Message[] = [];
  #lastId = 0;

  constructor(child: ChildProcess) {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the server has no pipes');
    this.child = child;
    stderr.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(line);
      const message = JSON.parse(line) as Message;
      if (message.id === undefined) this.#notified.push(message);
      else this.#waiting.get(message.id)?.answered(message);
    });
    child.once('exit', () => {
      for (const { lost } of this.#waiting.values()) lost();
    });
  }

  get lastId(): number {
    return this.#lastId;
  }

  get notified(): readonly Message[] {
    return this.#notified;
  }

  /** As a client of 2025 opens. */
  async open(name = 'raw'): Promise<Message> {
    const opened = await this.request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name, version: '1' },
    });
    this.send({ method: 'notifications/initialized' });
    return opened;
  }

  send(message: object): void {
    this.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  request(method: string, params: object): Promise<Message> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new Error(`no answer to ${method}: ${this.stderr}`));
      const timer = setTimeout(lost, DEADLINE_MS);
      this.#waiting.set(id, {
        lost: () => {
          clearTimeout(timer);
          lost();
        },
        answered: (message) => {
          clearTimeout(timer);
          this.#waiting.delete(id);
          resolve(message);
        },
      });
      this.send({ id, method, params });
    });
  }

  async call(name: string, args: object, meta: object = {}): Promise<Answer> {
    const { result, error } = await this.request('tools/call', { name, arguments: args, _meta: meta });
    if (error !== undefined) throw new Error(error.message);
    const content = result?.['content'] as readonly { text: string }[];
    return {
      isError: result?.['isError'] === true,
      text: content[0]?.text ?? '',
      data: result?.['structuredContent'] as Record<string, unknown>,
      meta: (result?.['_meta'] ?? {}) as Record<string, unknown>,
    };
  }

  /** Closes its input and answers how the server left. */
  leave(): Promise<number | null> {
    const left = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.stdin?.end();
    return left;
  }
}
