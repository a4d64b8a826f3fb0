import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { ROOT } from '../setup/bench-home.ts';
import { assertNothingLeft } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

async function benchFor(t: TestContext, turns: readonly MockTurn[]): Promise<AgentBench> {
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  copyFileSync(join(ROOT, 'test/agents/mcp-server.mjs'), join(desk.bench.workspace, 'server.mjs'));
  return desk;
}

const SERVER = { command: process.execPath, args: ['server.mjs'], env: { MARK: 'blue' }, timeout: 500 };

function toolsOffered(desk: AgentBench): string[] {
  const body = desk.provider.requests[0]?.body as {
    tools: { function: { name: string; description: string } }[];
  };
  return body.tools.map((tool) => `${tool.function.name}: ${tool.function.description}`);
}

function endings(desk: AgentBench, id: string): string[] {
  return desk
    .agentEvents(id)
    .flatMap((event) =>
      event.type === 'agent.tool_ended'
        ? [
            `${event.call} ${event.outcome} ${typeof event.result === 'string' ? event.result : '(in a file)'}`,
          ]
        : [],
    );
}

describe('MCP servers of an agent', { timeout: 300_000, skip: lacks }, () => {
  test('a server over stdio runs in the sandbox; its tools are named, chosen and cleaned', async (t) => {
    const desk = await benchFor(t, [
      {
        calls: [
          { name: 'calc___echo', args: { a: 1 } },
          { name: 'shorter', args: {} },
          { name: 'calc___hidden', args: {} },
        ],
      },
      { text: 'ok' },
    ]);
    desk.agent('helper', {
      tools: ['@calc/echo', '@calc/where'],
      toolAliases: { '@calc/where': 'shorter' },
      mcpServers: { calc: SERVER, other: { command: 'nonexistent' } },
    });
    desk.workflow('mcp');
    const { run } = await desk.run('mcp');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(toolsOffered(desk), ['calc___echo: does echo', 'shorter: does where']);
    // They end in any order.
    const [echo, where, hidden] = endings(desk, run.id).sort();
    assert.equal(echo, 'c1-1 ok {"a":1}');
    // A pid of the sandbox's own namespace: small.
    assert.match(where ?? '', new RegExp(`^c1-2 ok ${desk.bench.workspace} blue a \\d{1,2}$`));
    assert.equal(
      hidden,
      'c1-3 error there is no tool calc___hidden; the tools of this agent are calc___echo, shorter',
    );
    const called = desk
      .agentEvents(run.id)
      .flatMap((event) => (event.type === 'agent.tool_called' ? [event.tool] : []));
    assert.deepEqual(called, ['@calc/echo', '@calc/where', 'calc___hidden']);
    const logs = await desk.bench.q('logs', run.id);
    assert.match(logs.stdout + logs.stderr, /server blue began/);
    assertNothingLeft(run.id);
  });

  test('a server that dies or hangs is an error of the call, and is started again for the next', async (t) => {
    const desk = await benchFor(t, [
      { calls: [{ name: 'calc___die', args: {} }] },
      { calls: [{ name: 'calc___echo', args: { n: 1 } }] },
      { calls: [{ name: 'calc___hang', args: {} }] },
      { calls: [{ name: 'calc___echo', args: { n: 2 } }] },
      { text: 'ok' },
    ]);
    desk.agent('helper', { tools: ['@calc'], mcpServers: { calc: SERVER } });
    desk.workflow('mcp');
    const { run } = await desk.run('mcp');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(endings(desk, run.id), [
      'c1-1 error @calc/die failed: its process ended',
      'c2-1 ok {"n":1}',
      'c3-1 error @calc/hang failed: no answer in 0.5 s',
      'c4-1 ok {"n":2}',
    ]);
    assertNothingLeft(run.id);
  });

  test('a server that cannot be started fails the step with its last words', async (t) => {
    const desk = await benchFor(t, []);
    const args = ['-e', 'console.error("no licence"); process.exit(1)'];
    desk.agent('helper', { tools: ['@calc'], mcpServers: { calc: { command: process.execPath, args } } });
    desk.workflow('mcp');
    const { run, code } = await desk.run('mcp');
    assert.equal(code, 1);
    assert.equal(run.error?.code, 'MCP_FAILED');
    assert.match(run.error.message, /^the MCP server "calc" did not start: .*: no licence$/);
    assert.equal(desk.provider.requests.length, 0);
    assertNothingLeft(run.id);
  });

  test('a server behind HTTP is reached only by the network of the sandbox: without rules not at all', async (t) => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    const desk = await benchFor(t, []);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    desk.agent('helper', { tools: ['@far'], mcpServers: { far: { url } } });
    desk.workflow('mcp');
    const { run } = await desk.run('mcp');
    assert.equal(run.error?.code, 'MCP_FAILED');
    assert.equal(asked, 0);
  });
});
