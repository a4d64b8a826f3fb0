/** A small MCP server over stdio for tests: tools echo, where, hang, die and hidden. */
import { createInterface } from 'node:readline';

const tool = (name) => ({
  name,
  description: `does ${name}\u{e0041}`,
  inputSchema: { type: 'object', properties: {} },
});
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (id, value) => send({ id, result: { content: [{ type: 'text', text: value }] } });

process.stderr.write(`server ${process.env.MARK ?? ''} began\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize')
    send({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'test', version: '1' },
      },
    });
  if (method === 'tools/list')
    send({ id, result: { tools: ['echo', 'where', 'hang', 'die', 'hidden'].map(tool) } });
  if (method !== 'tools/call') continue;
  if (params.name === 'echo') text(id, JSON.stringify(params.arguments));
  if (params.name === 'where')
    text(id, `${process.cwd()} ${process.env.MARK} ${process.env.Q_WORKFLOW_STEP} ${process.pid}`);
  if (params.name === 'die') process.exit(3);
}
