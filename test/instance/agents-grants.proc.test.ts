import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { RuleFile } from '../../src/guard/policy/files/policy-file.ts';
import type { MockCall } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench, pendingCalls } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endAfterCrash, endOf } from '../setup/leftovers.ts';
import { auditOf, decisionsOf, fetchCall, getOf, placeFor, policy, resultsOf } from '../setup/network.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const bash = (command: string): MockCall => ({ name: 'execute_bash', args: { command } });

/** Asks about every port of the loopback, by name: where servers of tests are. */
const ASK: RuleFile = {
  id: 'ask',
  effect: 'ask',
  host: { names: ['127.0.0.1', 'localhost'], classes: ['loopback'] },
};

async function deskFor(
  t: TestContext,
  calls: readonly (MockCall | readonly MockCall[])[],
  rules: readonly RuleFile[] = [ASK],
): Promise<AgentBench> {
  const turns = [...calls.map((each) => ({ calls: [each].flat() })), { text: 'ok' }];
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  policy(desk, 'user', rules);
  desk.workflow('net');
  return desk;
}

async function approve(desk: AgentBench, id: string, which = ''): Promise<void> {
  const { status, stderr } = await desk.bench.q('approve', id, ...(which === '' ? [] : [which]));
  assert.equal(status, 0, stderr);
}

describe('the network of a call that a person approved', { timeout: 300_000, skip: lacks }, () => {
  test('the call reaches its host, with the number of the approval on record; the next one is asked again', async (t) => {
    const place = await placeFor(t);
    const desk = await deskFor(t, [fetchCall(`${place.url}/a`), fetchCall(`${place.url}/a`)]);
    const id = await desk.start('net');
    const [asked] = await pendingCalls(desk, id);
    assert.deepEqual([asked?.what, asked?.network], ['http_fetch', [`127.0.0.1:${place.port}`]]);
    assert.deepEqual(place.seen, []);
    await approve(desk, id);
    const [again] = await pendingCalls(desk, id);
    assert.deepEqual([again?.number, again?.call], [2, 'c2-1']);
    assert.deepEqual(place.seen, ['GET /a']);
    assert.match(resultsOf(desk, id)[0] ?? '', /^ok HTTP 200\n(.*\n)*reached$/);
    const decided = auditOf(desk, id, 'network.decided').map(({ outcome, approval, rule }) => [
      outcome,
      approval,
      rule,
    ]);
    const rule = { host: '127.0.0.1', ports: [place.port], classes: ['loopback'], by: 'approval 1' };
    assert.deepEqual(decided, [
      ['allowed', 1, rule],
      ['allowed', 1, rule],
    ]);
    await desk.bench.q('deny', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.match(resultsOf(desk, id)[1] ?? '', /^denied denied: person \S+ denied it$/);
    assert.deepEqual(place.seen, ['GET /a']);
    const permits = auditOf(desk, id, 'permit.decided').filter(({ approval }) => approval === 1);
    assert.deepEqual(
      permits.map(({ decision, network }) => [decision, network]),
      [
        ['wait', undefined],
        ['allow', [`127.0.0.1:${place.port}`]],
      ],
    );
    assertNothingLeft(id);
  });

  test('without an approval the host is closed to all; and nothing of the run says that it is open', async (t) => {
    const place = await placeFor(t);
    const desk = await deskFor(t, [fetchCall(place.url), bash('node get.cjs')]);
    writeFileSync(join(desk.bench.workspace, 'get.cjs'), getOf(place.url));
    const { run } = await desk.run('net', '--approvals', 'deny');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [fetched, ran] = resultsOf(desk, run.id);
    assert.match(fetched ?? '', /^denied denied: .*nobody can be asked$/);
    assert.match(ran ?? '', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/);
    assert.deepEqual([place.seen, run.isolation?.networks], [[], {}]);
  });

  test('an approved command reaches the hosts that it names, and no other place', async (t) => {
    const [place, other] = [await placeFor(t), await placeFor(t)];
    const command = `curl -s ${place.url}/1; echo; node other.cjs; node same.cjs`;
    const desk = await deskFor(t, [bash(command), bash('node same.cjs')]);
    writeFileSync(join(desk.bench.workspace, 'other.cjs'), getOf(other.url));
    writeFileSync(join(desk.bench.workspace, 'same.cjs'), getOf(`${place.url}/2`));
    const id = await desk.start('net');
    const [asked] = await pendingCalls(desk, id);
    assert.deepEqual(asked?.network, [`127.0.0.1:${place.port}`]);
    await approve(desk, id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [first, second] = resultsOf(desk, id);
    assert.equal(first, 'ok reached\n403 port_not_listed\n200 reached');
    // What another call was given is gone with it.
    assert.match(second ?? '', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/);
    assert.deepEqual([place.seen, other.seen], [['GET /1', 'GET /2'], []]);
    assert.deepEqual(decisionsOf(desk, id), [
      `execute_bash allowed 127.0.0.1:${place.port} null`,
      `execute_bash refused 127.0.0.1:${other.port} port_not_listed`,
      `execute_bash allowed 127.0.0.1:${place.port} null`,
    ]);
  });

  test('what a policy denies stays closed, and what it does not name stays public', async (t) => {
    const [place, other] = [await placeFor(t), await placeFor(t)];
    const rules: RuleFile[] = [
      { id: 'ask', effect: 'ask', host: { names: '127.0.0.1', ports: place.port, classes: ['loopback'] } },
      { id: 'ask-all', effect: 'ask', tool: 'http_fetch' },
    ];
    const desk = await deskFor(t, [[fetchCall(place.url), fetchCall(other.url)]], rules);
    policy(desk, 'workspace', [
      { id: 'no', effect: 'deny', tool: 'network', host: { classes: ['loopback'], ports: place.port } },
    ]);
    const id = await desk.start('net');
    const both = await pendingCalls(desk, id, 2);
    assert.deepEqual(
      both.map(({ network }) => network),
      [[], []],
    );
    await approve(desk, id, '1');
    await approve(desk, id, '2');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    for (const result of resultsOf(desk, id)) assert.match(result, /^error .* cannot be reached/);
    assert.deepEqual([place.seen, other.seen], [[], []]);
  });

  test('an MCP server reaches the host of an approved call while that lasts, and not after', async (t) => {
    const place = await placeFor(t);
    const call = (path: string): MockCall => ({ name: 'web___get', args: { url: `${place.url}${path}` } });
    const desk = await deskFor(t, [call('/a'), { name: 'web___again' }], [ASK]);
    writeFileSync(join(desk.bench.workspace, 'web.mjs'), WEB_SERVER);
    desk.agent('helper', {
      tools: ['@web'],
      mcpServers: { web: { command: process.execPath, args: ['web.mjs'] } },
    });
    const id = await desk.start('net');
    const [asked] = await pendingCalls(desk, id);
    assert.deepEqual([asked?.what, asked?.network], ['@web/get', [`127.0.0.1:${place.port}`]]);
    await approve(desk, id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(resultsOf(desk, id), ['ok 200 reached', 'ok 403 host_not_listed']);
    assert.deepEqual(place.seen, ['GET /a']);
    const numbers = auditOf(desk, id, 'network.decided').map(({ tool, outcome, approval }) => [
      tool,
      outcome,
      approval,
    ]);
    assert.ok(numbers.length > 0);
    for (const [tool, outcome, approval] of numbers)
      assert.deepEqual([tool, approval], ['@web', outcome === 'allowed' ? 1 : undefined]);
    assertNothingLeft(id);
  });

  test('people see what an approval opens', async (t) => {
    const place = await placeFor(t);
    const desk = await deskFor(t, [fetchCall(place.url)]);
    const id = await desk.start('net');
    await pendingCalls(desk, id);
    const { stdout } = await desk.bench.q('approvals', id);
    assert.ok(stdout.includes(`  opens 127.0.0.1:${place.port} to this call\n`), stdout);
    await desk.bench.q('deny', id);
    await endOf(desk.bench, id);
  });
});

/** Where a crash could lose what was approved, or give it twice. */
const POINTS = [
  ['instance.append', 6],
  ['supervisor.before_commit', 6],
  ['supervisor.before_commit', 7],
  ['supervisor.after_commit', 6],
  ['supervisor.after_commit', 7],
  ['supervisor.spawned', 2],
] as const;

describe('a crash between an approval and its call', { timeout: 600_000, skip: lacks }, () => {
  for (const [point, count] of POINTS)
    test(`at ${point} ${count}: the host is open to the call once at most, and not lost`, async (t) => {
      const place = await placeFor(t);
      const desk = await deskFor(t, [fetchCall(`${place.url}/a`)]);
      await desk.bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:${count}` }, 'supervisor', 'start');
      const id = await desk.start('net');
      await pendingCalls(desk, id);
      await eventually('it is approved', async () => {
        const { status, stderr } = await desk.bench.q('approve', id, '1');
        return status === 0 || stderr.includes('approved by person');
      });
      const run = await endAfterCrash(desk.bench, id);
      assert.equal(run.status, 'completed', JSON.stringify(run.error));
      const [result = '', ...more] = resultsOf(desk, id);
      assert.deepEqual(more, []);
      // Interrupted after its permit: then it may have got there.
      if (result.startsWith('ok')) assert.deepEqual(place.seen, ['GET /a']);
      else assert.match(result, /^interrupted /);
      assert.ok(place.seen.length <= 1, place.seen.join());
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
});

/** A server whose tool `get` fetches a URL, and whose tool `again` tries the same one without being told to. */
const WEB_SERVER = `import { createInterface } from 'node:readline';
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const tool = (name) => ({ name, description: name, inputSchema: { type: 'object' } });
let last = '';
async function get(url) {
  try {
    const answer = await fetch(url);
    return answer.status + ' ' + (answer.headers.get('x-q-workflow-reason') ?? (await answer.text()));
  } catch (error) {
    return /403/.test(String(error.cause?.message)) ? '403 host_not_listed' : String(error.cause?.message ?? error);
  }
}
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize')
    send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'web', version: '1' } } });
  if (method === 'tools/list') send({ id, result: { tools: ['get', 'again'].map(tool) } });
  if (method !== 'tools/call') continue;
  last = params.arguments?.url ?? last;
  send({ id, result: { content: [{ type: 'text', text: await get(last) }] } });
}
`;
