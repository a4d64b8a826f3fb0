/** An MCP server that keeps to no rule, each tool in its own way. */
import { createInterface } from 'node:readline';

const write = (text) => new Promise((resolve) => process.stdout.write(text, resolve));
const send = (message) => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (id, value) => send({ id, result: { content: [{ type: 'text', text: value }] } });
let names = [
  'noise',
  'twice',
  'stranger',
  'huge',
  'list',
  'half',
  'flood',
  'wrong',
  'late',
  'parts',
  'pair',
  'token',
];

await write('Welcome!\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize' && process.env.REFUSES !== undefined) {
    await send({
      id,
      error: { code: -1, message: `\u001b[31m${process.env.API_TOKEN} is no token\u0007\u202e` },
    });
    continue;
  }
  if (method === 'initialize') {
    const { protocolVersion } = params;
    await send({
      id,
      result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'rude', version: '1' } },
    });
  }
  if (method === 'tools/list') {
    const tools = names.map((name) => ({ name, description: 'x', inputSchema: { type: 'object' } }));
    await send({ id, result: { tools } });
  }
  if (method !== 'tools/call') continue;
  if (params.name === 'noise') {
    await write('{"jsonrpc":\nnot at all\n\n');
    await text(id, 'after noise');
  }
  if (params.name === 'twice') {
    await text(id, 'first');
    await text(id, 'second');
  }
  if (params.name === 'stranger') {
    await text(id + 1000, 'for nobody');
    await text(id, 'for you');
  }
  if (params.name === 'huge') await text(id, 'z'.repeat(3 * 1024 * 1024));
  if (params.name === 'list') {
    names = ['noise', 'new'];
    await send({ method: 'notifications/tools/list_changed' });
    await text(id, 'changed');
  }
  if (params.name === 'new') await text(id, 'never offered');
  if (params.name === 'half') {
    await write('{"jsonrpc":"2.0","id":');
    process.exit(4);
  }
  if (params.name === 'flood') {
    for (let n = 0; n < 20_000; n += 1)
      await send({ method: 'notifications/message', params: { level: 'info', data: n } });
    await text(id, 'after the flood');
  }
  if (params.name === 'wrong') await send({ id, result: { content: 'no list' } });
  if (params.name === 'late')
    await send({ id, error: { code: -32000, message: 'the database timed out, a timeout of its own' } });
  if (params.name === 'parts') {
    const resource = { uri: 'file:///a.txt', mimeType: 'text/plain', text: 'said in a resource' };
    const content = [
      { type: 'resource', resource },
      { type: 'resource', resource: { uri: 'file:///b.bin', mimeType: 'image/png', blob: 'AAAA' } },
      { type: 'resource_link', uri: 'file:///c', name: 'c' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
    ];
    await send({ id, result: { content } });
  }
  if (params.name === 'pair') {
    const note = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } };
    const result = { content: [{ type: 'text', text: 'one of two' }] };
    await write(`${JSON.stringify([note, { jsonrpc: '2.0', id, result }])}\n`);
  }
  if (params.name === 'token') await text(id, `I was given ${process.env.API_TOKEN}`);
}
