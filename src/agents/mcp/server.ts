/** One MCP server of an agent while its step lasts: started when it is needed, asked, and started again when it dies. */
import type { NetworkGrant, NetworkGrants } from '../../../sandbox/network/grants.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { onAbort, startTimer } from '../../skills/waits.ts';
import type { ToolResult } from '../native/tool-box.ts';
import { CallGate } from './call-gate.ts';
import type { ServerProcess } from './process.ts';

type Client = Awaited<ReturnType<typeof import('@ai-sdk/mcp')['createMCPClient']>>;
type Definition = Awaited<ReturnType<Client['listTools']>>['tools'][number];
type CallResult = Awaited<ReturnType<Client['callTool']>>;

/** A part of a result, as far as it is read. */
interface Part {
  readonly type: string;
  readonly text?: unknown;
  readonly uri?: unknown;
  readonly mimeType?: unknown;
  readonly resource?: { readonly text?: unknown; readonly uri?: unknown; readonly mimeType?: unknown };
}

export interface ServerOptions {
  readonly name: string;
  /** Of one call. */
  readonly timeoutMs: number;
  /** Starts a process of it. */
  readonly launch: () => Promise<ServerProcess>;
  /** Makes its words fit to be told: cleaned, and without what it was given to log in. */
  readonly shown: (text: string) => string;
  /** Of its process: what calls that persons approved may reach. Null when none can come. */
  readonly grants: NetworkGrants | null;
}

const START_TIMEOUT_MS = 30_000;
const MAX_RESTARTS = 3;
const MAX_PAGES = 20;

export class McpConnection {
  readonly #options: ServerOptions;
  readonly #gate = new CallGate();
  #process: ServerProcess | null = null;
  #client: Client | null = null;
  #starting: Promise<Client> | null = null;
  #starts = 0;
  #ends = 0;
  #isClosed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Starts the server and answers its tools. Throws MCP_FAILED. */
  async list(signal: AbortSignal): Promise<Definition[]> {
    const client = await this.#ready(signal);
    const tools: Definition[] = [];
    try {
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const listed = await client.listTools({
          ...(cursor === undefined ? {} : { params: { cursor } }),
          options: { signal, timeout: START_TIMEOUT_MS },
        });
        tools.push(...listed.tools);
        cursor = listed.nextCursor;
        if (cursor === undefined) break;
      }
      return tools;
    } catch (error) {
      throw this.#failed(`does not list its tools: ${ensureError(error).message}`, error);
    }
  }

  /**
   * Calls a tool; with a grant alone, since all calls share the process. What fails is an error of the call; a server
   * that hangs or died is ended, the next call starts it.
   */
  async call(
    tool: string,
    args: Record<string, unknown>,
    grant: NetworkGrant | null,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    const { grants } = this.#options;
    if (grant === null || grants === null) return this.#gate.shared(() => this.#call(tool, args, signal));
    return this.#gate.alone(async () => {
      // Its start is no part of what was approved.
      await this.#ready(signal);
      const end = grants.open(grant);
      try {
        return await this.#call(tool, args, signal);
      } finally {
        end();
      }
    });
  }

  /** Ends its process with all that it has begun; the next call starts another. Also one that is just being started. */
  async end(): Promise<void> {
    this.#ends += 1;
    await this.#drop();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }

  async #call(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<ToolResult> {
    const client = await this.#ready(signal);
    const { timeoutMs } = this.#options;
    // Its own clock says whether it was late: the words of an error are those of the server.
    const late = new AbortController();
    const callOff = startTimer(timeoutMs, () => late.abort());
    try {
      const result = await client.callTool({
        name: tool,
        arguments: args,
        options: { signal: AbortSignal.any([signal, late.signal]) },
      });
      const text = textOf(result);
      const isError = 'isError' in result && result.isError === true;
      return { isError, text: this.#options.shown(text), bytes: Buffer.byteLength(text) };
    } catch (error) {
      const isDead = !(this.#process?.isAlive ?? false);
      const isLate = late.signal.aborted;
      if (isDead || isLate || signal.aborted) await this.#drop();
      const why = isDead
        ? 'its process ended'
        : isLate
          ? `no answer in ${timeoutMs / 1000} s`
          : ensureError(error).message;
      return { isError: true, text: this.#options.shown(`@${this.#options.name}/${tool} failed: ${why}`) };
    } finally {
      callOff();
    }
  }

  async #ready(signal: AbortSignal): Promise<Client> {
    if (this.#client !== null && this.#process?.isAlive) return this.#client;
    // Calls side by side share one start.
    this.#starting ??= this.#start(signal).finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #start(signal: AbortSignal): Promise<Client> {
    await this.#drop();
    if (this.#isClosed) throw this.#failed('the step is over');
    if (this.#starts > MAX_RESTARTS)
      throw this.#failed(`ended ${this.#starts} times and is not started again`);
    this.#starts += 1;
    const { createMCPClient } = await import('@ai-sdk/mcp');
    const ends = this.#ends;
    const server = await this.#options.launch();
    this.#process = server;
    if (ends !== this.#ends) {
      await this.#drop();
      throw this.#failed('was ended');
    }
    const end = onAbort(signal, () => void this.#drop());
    try {
      this.#client = await createMCPClient({
        transport: server,
        clientName: 'q-workflow',
        onUncaughtError: () => undefined,
        initializationOptions: { signal, timeout: START_TIMEOUT_MS },
      });
      return this.#client;
    } catch (error) {
      const words = server.lastWords;
      await this.#drop();
      throw this.#failed(
        `did not start: ${ensureError(error).message}${words === '' ? '' : `: ${words}`}`,
        error,
      );
    } finally {
      end();
    }
  }

  async #drop(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    this.#client = null;
    await server?.close();
  }

  #failed(why: string, cause?: unknown): WorkflowError {
    const { name, shown } = this.#options;
    return new WorkflowError('MCP_FAILED', `the MCP server "${name}" ${shown(why)}`, { cause });
  }
}

/** The texts of a result, those of resources too; other content is named, not shown. */
function textOf(result: CallResult): string {
  const parts = 'content' in result && Array.isArray(result.content) ? result.content : [];
  if (parts.length > 0) return parts.map(partText).join('\n');
  return 'structuredContent' in result ? JSON.stringify(result.structuredContent) : '(nothing)';
}

function partText(part: Part): string {
  const { type, text, resource, uri, mimeType } = part;
  if (typeof text === 'string') return text;
  if (typeof resource?.text === 'string') return resource.text;
  const named = [uri, resource?.uri, mimeType, resource?.mimeType].filter((each) => typeof each === 'string');
  return `[${[type, ...named].join(' ')}]`;
}
