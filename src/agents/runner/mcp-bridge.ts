/**
 * An MCP server that is reached by HTTP, spoken to by stdio: so its connection is made inside of the sandbox, with the
 * network that the step has. Streamable HTTP: each message is a POST, answered by JSON or by a stream of events.
 */
import { createInterface } from 'node:readline';
import { isObject } from '../../skills/fields.ts';
import { fetchFault } from './fetch-fault.ts';

interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly result?: { readonly protocolVersion?: unknown };
}

/** What the server said when the conversation was opened; every later request has it in its headers. */
interface Session {
  id: string | null;
  version: string | null;
}

const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** What all others depend on: they are answered before anything else is sent. */
const OPENING: readonly (string | undefined)[] = ['initialize', 'notifications/initialized'];

/**
 * The first line of stdin is the target, never argv: headers hold tokens. Every other line is a message; those after the
 * opening go side by side.
 */
export async function bridgeMcp(): Promise<void> {
  let bridge: Bridge | null = null;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    if (bridge === null) {
      // Our own instance wrote it.
      bridge = new Bridge(JSON.parse(line) as Target);
      continue;
    }
    const message = JSON.parse(line) as Message;
    const sent = bridge.send(line, message);
    if (OPENING.includes(message.method)) await sent;
  }
}

class Bridge {
  readonly #target: Target;
  readonly #opening: string[] = [];
  #session: Session = { id: null, version: null };
  #reopening: Promise<void> | null = null;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Never rejects: what fails is the answer to the message. */
  async send(body: string, sent: Message): Promise<void> {
    const isOpening = OPENING.includes(sent.method);
    if (isOpening) this.#opening.push(body);
    // What answers the server is not answered itself: its id is one of the server's.
    const id = sent.method === undefined ? null : (sent.id ?? null);
    let isAnswered = id === null;
    const forward = (message: Message): void => {
      isAnswered ||= message.method === undefined && message.id === id;
      process.stdout.write(`${JSON.stringify(message)}\n`);
    };
    try {
      let session = this.#session;
      let response = await this.#post(body, session);
      if (response.status === 404 && session.id !== null && !isOpening) {
        // It has forgotten the session and done nothing else: a new one is begun, and the message said again in it.
        session = await this.#reopened(session);
        response = await this.#post(body, session);
      }
      await readMessages(response, session, sent, forward);
      if (!isAnswered) throw new Error('the server ended its answer before the result was in it');
    } catch (error) {
      const message = fetchFault(error, process.env);
      if (!isAnswered)
        process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message } })}\n`);
    }
  }

  /** The session after the one that was lost; several that lost it share the next. */
  async #reopened(lost: Session): Promise<Session> {
    if (this.#session === lost)
      this.#reopening ??= this.#reopen().finally(() => {
        this.#reopening = null;
      });
    await this.#reopening;
    return this.#session;
  }

  async #reopen(): Promise<void> {
    const session: Session = { id: null, version: null };
    this.#session = session;
    for (const body of this.#opening)
      await readMessages(
        await this.#post(body, session),
        session,
        JSON.parse(body) as Message,
        () => undefined,
      );
  }

  #post(body: string, session: Session): Promise<Response> {
    return fetch(this.#target.url, {
      method: 'POST',
      redirect: 'error',
      headers: {
        ...this.#target.headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session.id === null ? {} : { 'mcp-session-id': session.id }),
        ...(session.version === null ? {} : { 'mcp-protocol-version': session.version }),
      },
      body,
    });
  }
}

/** What the server says to a message, and what of it belongs to the session. Throws an Error for anything but a success. */
async function readMessages(
  response: Response,
  session: Session,
  sent: Message,
  forward: (message: Message) => void,
): Promise<void> {
  if (!response.ok) throw new Error(`the server answered HTTP ${response.status}`);
  session.id = response.headers.get('mcp-session-id') ?? session.id;
  const take = (text: string): void => {
    const value: unknown = JSON.parse(text);
    // Older servers say several things at once.
    for (const each of Array.isArray(value) ? value : [value]) {
      if (!isObject(each)) continue;
      const message = each as Message;
      const version = sent.method === 'initialize' ? message.result?.protocolVersion : undefined;
      if (typeof version === 'string') session.version = version;
      forward(message);
    }
  };
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('text/event-stream')) return await forwardEvents(response, take);
  const text = (await response.text()).trim();
  if (text !== '') take(text);
}

async function forwardEvents(response: Response, take: (data: string) => void): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > MAX_EVENT_LENGTH) throw new Error('an event of the server is too long');
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data !== '') take(data);
    }
  }
}
