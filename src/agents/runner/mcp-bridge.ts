/**
 * An MCP server that is reached by HTTP, spoken to by stdio: so its connection is made inside of the sandbox, with the
 * network that the step has. Streamable HTTP: each message is a POST, answered by JSON or by a stream of events.
 */
import { createInterface } from 'node:readline';
import { fetchFault } from './fetch-fault.ts';

interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/** The first line of stdin is the target, never argv: headers hold tokens. Every other line is a message. */
export async function bridgeMcp(): Promise<void> {
  let target: Target | null = null;
  let session: string | null = null;
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    if (line.trim() === '') continue;
    if (target === null) {
      // Our own instance wrote it.
      target = JSON.parse(line) as Target;
      continue;
    }
    const message = JSON.parse(line) as { id?: number | string; method?: string };
    const sent = send(target, session, line, message.id ?? null);
    // The session begins with the answer to the first message; later ones may overtake each other.
    if (session === null) session = await sent;
    else void sent;
  }
}

async function send(
  target: Target,
  session: string | null,
  body: string,
  id: number | string | null,
): Promise<string | null> {
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      redirect: 'error',
      headers: {
        ...target.headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session === null ? {} : { 'mcp-session-id': session }),
      },
      body,
    });
    if (!response.ok) throw new Error(`the server answered HTTP ${response.status}`);
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('text/event-stream')) await forwardEvents(response);
    else {
      const text = (await response.text()).trim();
      if (text !== '') process.stdout.write(`${JSON.stringify(JSON.parse(text))}\n`);
    }
    return response.headers.get('mcp-session-id') ?? session;
  } catch (error) {
    const message = fetchFault(error, process.env);
    if (id !== null)
      process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message } })}\n`);
    return session;
  }
}

async function forwardEvents(response: Response): Promise<void> {
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
      if (data !== '') process.stdout.write(`${JSON.stringify(JSON.parse(data))}\n`);
    }
  }
}
