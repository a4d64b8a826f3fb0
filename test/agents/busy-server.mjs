/** An MCP server whose one tool goes on writing into a file, also after it has answered, and which knows no end. */
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

process.on('SIGTERM', () => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') {
    const serverInfo = { name: 'busy', version: '1' };
    send({
      id,
      result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo },
    });
  }
  if (method === 'tools/list')
    send({
      id,
      result: { tools: [{ name: 'work', description: 'works', inputSchema: { type: 'object' } }] },
    });
  if (method !== 'tools/call') continue;
  setInterval(() => appendFileSync(params.arguments.file, 'x'), 1);
  send({ id, result: { content: [{ type: 'text', text: String(Math.random()) }] } });
}
