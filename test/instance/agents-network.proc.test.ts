import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { RuleFile } from '../../src/guard/policy/files/policy-file.ts';
import type { MockCall } from '../provider/scenario.ts';
import { openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf } from '../setup/leftovers.ts';
import {
  auditOf,
  decisionsOf,
  execCall,
  fetchCall,
  getOf,
  nodeCall,
  placeFor,
  policy,
  resultsOf,
} from '../setup/network.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** A bench whose agent makes these calls, each in an answer of its own. */
async function benchFor(t: TestContext, calls: readonly MockCall[], rules: readonly RuleFile[]) {
  const turns = [...calls.map((call) => ({ calls: [call] })), { text: 'ok' }];
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  policy(desk, 'user', rules);
  desk.workflow('net');
  return desk;
}

/** Of the loopback, where servers of tests are; a port is named, since the mock provider is there as well. */
const opened = (port: number, more: Partial<RuleFile> = {}): RuleFile => ({
  id: 'open',
  effect: 'allow',
  host: { names: '127.0.0.1', ports: port, classes: ['loopback'] },
  ...more,
});

describe('the network of an agent', { timeout: 300_000, skip: lacks }, () => {
  test('a host that a policy allows is reached by http_fetch, and all of it is on record', async (t) => {
    const place = await placeFor(t);
    const desk = await benchFor(t, [fetchCall(`${place.url}/a`)], [opened(place.port)]);
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.match(resultsOf(desk, run.id)[0] ?? '', /^ok HTTP 200\n(.*\n)*reached$/);
    assert.deepEqual(place.seen, ['GET /a']);
    const rule = {
      host: '127.0.0.1',
      ports: [place.port],
      classes: ['loopback'],
      by: 'user/net#open',
    };
    // Fetch opens a tunnel; the request in it is judged by itself, and has a connection of its own.
    const [tunnelled, decided, ...others] = auditOf(desk, run.id, 'network.decided');
    assert.deepEqual([tunnelled?.['method'], tunnelled?.['outcome'], others], ['connect', 'allowed', []]);
    assert.deepEqual(decided, {
      path: 'a',
      attempt: 1,
      tool: 'http_fetch',
      connection: 2,
      outcome: 'allowed',
      method: 'http',
      host: '127.0.0.1',
      port: place.port,
      addresses: ['127.0.0.1'],
      rule,
      reason: null,
    });
    const ended = auditOf(desk, run.id, 'network.ended').find(({ connection }) => connection === 2);
    assert.deepEqual(
      [ended?.['path'], ended?.['tool'], ended?.['address']],
      ['a', 'http_fetch', '127.0.0.1'],
    );
    assert.ok(Number(ended?.['bytes_in']) > 0 && Number(ended?.['bytes_out']) > 0, JSON.stringify(ended));
    // Decided when the process began, with the policies by which it was.
    const [launched] = auditOf(desk, run.id, 'instance.launched');
    const [permit] = auditOf(desk, run.id, 'permit.decided').filter(({ kind }) => kind === 'tool');
    const tools = ['exec', 'execute_bash', 'http_fetch', 'use_skill'];
    assert.deepEqual(launched?.['networks'], {
      a: { policy_hash: permit?.['policy_hash'], tools: Object.fromEntries(tools.map((tool) => [tool, 0])) },
    });
    assert.deepEqual(launched['network_rules'], [{ rules: [rule], narrow: [], refuse: [] }]);
    const shown = [`127.0.0.1:${place.port} (loopback)`];
    assert.deepEqual(run.isolation?.networks, { a: Object.fromEntries(tools.map((tool) => [tool, shown])) });
    assertNothingLeft(run.id);
  });

  test('what a policy denies is denied before anything runs', async (t) => {
    const place = await placeFor(t);
    const deny: RuleFile = { id: 'no', effect: 'deny', host: '127.0.0.1', reason: 'not this one' };
    const calls = [fetchCall(place.url), nodeCall(getOf(place.url)), execCall(process.execPath, 'get.cjs')];
    const desk = await benchFor(t, calls, [opened(place.port), deny]);
    writeFileSync(join(desk.bench.workspace, 'get.cjs'), getOf(place.url));
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [fetched, code, file] = resultsOf(desk, run.id);
    assert.equal(fetched, 'denied denied: not this one');
    // Code in the arguments may go anywhere; of a file nobody says so, and the proxy refuses what it does.
    assert.match(code ?? '', /^denied denied: not this one/);
    assert.match(file ?? '', /^ok 403 host_refused/);
    assert.deepEqual(decisionsOf(desk, run.id), [`exec refused 127.0.0.1:${place.port} host_refused`]);
    assert.deepEqual(place.seen, []);
    const { stdout, stderr } = await desk.bench.q('logs', run.id);
    const line = `network: 127.0.0.1:${place.port} was refused by user/net#no (host_refused)`;
    assert.ok(`${stdout}${stderr}`.includes(line), `${stdout}${stderr}`);
  });

  test('a program that tries another host is refused by the proxy, in audit and log', async (t) => {
    const [place, other] = [await placeFor(t), await placeFor(t)];
    const desk = await benchFor(
      t,
      [nodeCall(getOf(place.url)), nodeCall(getOf(other.url)), nodeCall(getOf('http://metadata.example/'))],
      [opened(place.port)],
    );
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(
      resultsOf(desk, run.id).map((text) => text.split('\n')[0]),
      ['ok 200 reached', 'ok 403 port_not_listed', 'ok 403 host_not_listed'],
    );
    assert.deepEqual(decisionsOf(desk, run.id), [
      `exec allowed 127.0.0.1:${place.port} null`,
      `exec refused 127.0.0.1:${other.port} port_not_listed`,
      'exec refused metadata.example:80 host_not_listed',
    ]);
    assert.deepEqual(other.seen, []);
    const { stdout, stderr } = await desk.bench.q('logs', run.id);
    assert.ok(
      `${stdout}${stderr}`.includes('network: metadata.example:80 was refused (host_not_listed)'),
      `${stdout}${stderr}`,
    );
    const warned = await desk.bench.q('audit', 'list', '--instance', run.id, '--type', 'network.*', '--json');
    assert.match(warned.stdout, /"severity":\s*"warning"/);
  });

  test('a host that is open to one tool is closed to the others', async (t) => {
    const place = await placeFor(t);
    const desk = await benchFor(
      t,
      [fetchCall(place.url), nodeCall(getOf(place.url))],
      [opened(place.port, { tool: 'http_fetch' })],
    );
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [fetched, ran] = resultsOf(desk, run.id);
    assert.match(fetched ?? '', /^ok HTTP 200/);
    // Not even a proxy is there.
    assert.match(ran ?? '', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/);
    assert.deepEqual(place.seen, ['GET /']);
    assert.deepEqual(Object.keys(run.isolation?.networks['a'] ?? {}), ['http_fetch']);
  });

  test('a redirect leads nowhere that is not allowed', async (t) => {
    const other = await placeFor(t);
    const place = await placeFor(t, (_, response) => {
      response.writeHead(302, { location: `${other.url}/secret` }).end();
    });
    const follow = `fetch('${place.url}/').then(async (r)=>console.log(r.status,r.headers.get('x-q-workflow-reason')??await r.text()),(e)=>console.log('failed',e.cause?.message??e.message))`;
    const desk = await benchFor(t, [fetchCall(place.url), nodeCall(follow)], [opened(place.port)]);
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [fetched, followed] = resultsOf(desk, run.id);
    assert.match(fetched ?? '', new RegExp(`^ok HTTP 302\n(.*\n)*location: ${other.url}/secret`));
    assert.match(followed ?? '', /^ok (403 port_not_listed|failed )/);
    assert.ok(decisionsOf(desk, run.id).includes(`exec refused 127.0.0.1:${other.port} port_not_listed`));
    assert.deepEqual([place.seen.length, other.seen], [2, []]);
  });

  test('a name that leads to this machine is refused, where a rule allows the name only', async (t) => {
    const place = await placeFor(t);
    const url = `http://localhost:${place.port}/`;
    const name = opened(place.port, { host: `localhost:${place.port}` });
    const desk = await benchFor(t, [fetchCall(url), nodeCall(getOf(url))], [name]);
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [fetched, ran] = resultsOf(desk, run.id);
    assert.equal(
      fetched,
      `error ${url} cannot be reached: the proxy of this step refuses it: no policy opens this host to this tool`,
    );
    assert.match(ran ?? '', /^ok 403 address_refused/);
    assert.deepEqual(decisionsOf(desk, run.id), [
      `http_fetch refused localhost:${place.port} address_refused`,
      `exec refused localhost:${place.port} address_refused`,
    ]);
    assert.deepEqual(place.seen, []);
  });

  test('no other spelling, user, Host, port or method gets around the rules', async (t) => {
    const [place, other] = [await placeFor(t), await placeFor(t)];
    const at = `localhost:${place.port}`;
    const asked: readonly (readonly [text: string, wanted: string])[] = [
      [get(`http://${at}/1`, at), '200'],
      [get(`http://LocalHost.:${place.port}/2`, at), '200'],
      [get(`http://127.0.0.1:${place.port}/`, `127.0.0.1:${place.port}`), 'host_not_listed'],
      [get(`http://2130706433:${place.port}/`, `2130706433:${place.port}`), 'host_not_listed'],
      [get(`http://0x7f.1:${place.port}/`, `0x7f.1:${place.port}`), 'host_not_listed'],
      [get(`http://[::1]:${place.port}/`, `[::1]:${place.port}`), 'host_not_listed'],
      [get(`http://[::ffff:7f00:1]:${place.port}/`, `[::ffff:7f00:1]:${place.port}`), 'host_not_listed'],
      [get(`http://x.localhost:${place.port}/`, `x.localhost:${place.port}`), 'host_not_listed'],
      [get(`http://${at}@127.0.0.1:${other.port}/`, `127.0.0.1:${other.port}`), 'malformed'],
      [get(`http://127.0.0.1:${other.port}#@${at}/`, at), '400'],
      [get(`http://127.0.0.1:${other.port}\\@${at}/`, at), '400'],
      [get(`http://local%68ost:${place.port}/`, at), 'malformed'],
      [get(`http://${at}/`, `127.0.0.1:${other.port}`), 'host_differs'],
      [get(`http://${at}/`, `${at}\r\nHost: 127.0.0.1:${other.port}`), 'host_differs'],
      [get(`http://localhost:${other.port}/`, `localhost:${other.port}`), 'port_not_listed'],
      [get('/', at), 'malformed'],
      [tunnel(`127.0.0.1:${place.port}`), 'host_not_listed'],
      [tunnel(`127.0.0.1:${other.port}`), 'host_not_listed'],
      [tunnel(`localhost:${other.port}`), 'port_not_listed'],
      [tunnel(`user@${at}`), 'malformed'],
      [tunnel('localhost'), 'malformed'],
      [`${tunnel(at)}${get('/3', at)}`, '200'],
      [`${tunnel(at)}${get('/', `127.0.0.1:${other.port}`)}`, 'host_differs'],
      [`${tunnel(at)}${tunnel(`localhost:${other.port}`)}`, 'malformed'],
    ];
    const only = opened(place.port, {
      host: { names: 'localhost', ports: place.port, classes: ['loopback'] },
    });
    const desk = await benchFor(t, [nodeCall(sender(asked.map(([text]) => text)))], [only]);
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [result = ''] = resultsOf(desk, run.id);
    const words = result.replace(/^ok /, '').trim().split('\n');
    assert.deepEqual(
      words,
      asked.map(([, wanted]) => wanted),
    );
    assert.deepEqual(place.seen, ['GET /1', 'GET /2', 'GET /3']);
    assert.deepEqual(other.seen, []);
  });

  test('a workspace takes away what the user allows, and gives nothing', async (t) => {
    const [place, other] = [await placeFor(t), await placeFor(t)];
    const desk = await benchFor(
      t,
      [nodeCall(getOf(place.url)), nodeCall(getOf(other.url))],
      [opened(place.port)],
    );
    policy(desk, 'workspace', [
      { id: 'ask', effect: 'ask', tool: 'network', host: { classes: ['loopback'], ports: place.port } },
      opened(other.port),
    ]);
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(decisionsOf(desk, run.id), [
      `exec refused 127.0.0.1:${place.port} address_refused`,
      `exec refused 127.0.0.1:${other.port} port_not_listed`,
    ]);
    assert.deepEqual([place.seen, other.seen], [[], []]);
  });

  test('an MCP server over HTTP is reached by its own rule, and no other tool by that', async (t) => {
    const place = await placeFor(t, mcpOverHttp);
    const calls = [{ name: 'far___echo', args: { a: 1 } }, nodeCall(getOf(place.url))];
    const desk = await benchFor(t, calls, [opened(place.port, { tool: '@far' })]);
    desk.agent('helper', {
      tools: ['@far/echo', 'exec'],
      mcpServers: { far: { url: `${place.url}/mcp`, headers: { 'x-mark': 'blue' } } },
    });
    const { run } = await desk.run('net');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [echoed, ran] = resultsOf(desk, run.id);
    assert.equal(echoed, 'ok blue {"a":1}');
    assert.match(ran ?? '', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/);
    const decided = decisionsOf(desk, run.id);
    assert.ok(decided.length > 0);
    assert.deepEqual([...new Set(decided)], [`@far allowed 127.0.0.1:${place.port} null`]);
    assert.ok(
      place.seen.every((line) => line === 'POST /mcp'),
      place.seen.join(),
    );
    assertNothingLeft(run.id);
  });

  test('without a supervisor nothing goes out until the next one has recorded it', async (t) => {
    const place = await placeFor(t);
    const script = `require('node:fs').writeFileSync('ready','');
const wait=setInterval(()=>{if(!require('node:fs').existsSync('go'))return;clearInterval(wait);require('node:fs').writeFileSync('went','');${getOf(place.url)}},20)`;
    const desk = await benchFor(t, [nodeCall(script)], [opened(place.port)]);
    const id = await desk.start('net');
    const inWorkspace = (name: string): string => join(desk.bench.workspace, name);
    await eventually('the program waits', () => existsSync(inWorkspace('ready')));
    process.kill(await desk.bench.supervisorPid(), 'SIGKILL');
    writeFileSync(inWorkspace('go'), '');
    await eventually('it asks', () => existsSync(inWorkspace('went')));
    assert.deepEqual(place.seen, []);
    // The next command starts a supervisor.
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(resultsOf(desk, id), ['ok 200 reached']);
    assert.ok(decisionsOf(desk, id).includes(`exec allowed 127.0.0.1:${place.port} null`));
    assert.equal(auditOf(desk, id, 'network.ended').length, 1);
    assert.deepEqual(place.seen, ['GET /']);
  });

  test('a skill step in the tier of agents has the network that policies give the traffic', async (t) => {
    const place = await placeFor(t);
    const desk = await benchFor(t, [], [opened(place.port, { tool: 'network' })]);
    desk.bench.skill('get', {
      type: 'code_inline',
      command: process.execPath,
      args: ['-e', getOf(place.url)],
    });
    desk.bench.workflow('skills', {
      steps: [
        { id: 'a', type: 'skill', skill: 'get', sandbox: { tier: 'agent' } },
        { id: 'b', type: 'skill', skill: 'get', sandbox: { tier: 'untrusted' } },
      ],
      error_handling: { default: { strategy: 'skip' } },
    });
    const { run } = await desk.run('skills');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(decisionsOf(desk, run.id), [`skill allowed 127.0.0.1:${place.port} null`]);
    assert.deepEqual(place.seen, ['GET /']);
    assert.deepEqual(Object.keys(run.isolation?.networks ?? {}), ['a']);
  });
});

function get(url: string, host: string): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
}

function tunnel(authority: string): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
}

/** Sends each text over a connection of its own, and prints the reason of the last refusal, else the last status. */
function sender(texts: readonly string[]): string {
  return `const net=require('node:net'),p=new URL(process.env.HTTP_PROXY);
const one=(text)=>new Promise((done)=>{let all='';const s=net.connect(p.port,p.hostname,()=>s.write(text));
s.on('data',(c)=>{all+=c}).on('error',()=>{}).on('close',()=>done(
 all.match(/x-q-workflow-reason: (\\S+)/i)?.[1]??[...all.matchAll(/HTTP\\/1.1 (\\d+)/g)].at(-1)?.[1]??'nothing'))});
(async()=>{for(const text of ${JSON.stringify(texts)})console.log(await one(text))})()`;
}

/** A server of one tool that answers what it got, over streamable HTTP in its simplest form. */
function mcpOverHttp(request: IncomingMessage, response: Parameters<RequestListener>[1]): void {
  let text = '';
  request.on('data', (chunk) => {
    text += String(chunk);
  });
  request.on('end', () => {
    const { id, method, params } = JSON.parse(text) as {
      id?: number;
      method: string;
      params?: { protocolVersion?: string; arguments?: unknown };
    };
    const results: Readonly<Record<string, unknown>> = {
      initialize: {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'far', version: '1' },
      },
      'tools/list': { tools: [{ name: 'echo', description: 'does echo', inputSchema: { type: 'object' } }] },
      'tools/call': {
        content: [
          { type: 'text', text: `${String(request.headers['x-mark'])} ${JSON.stringify(params?.arguments)}` },
        ],
      },
    };
    if (id === undefined) response.writeHead(202).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }));
  });
}
