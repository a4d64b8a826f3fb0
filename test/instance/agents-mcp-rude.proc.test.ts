import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { checkPairs } from '../agents/fake-world.ts';
import { openAgentBench } from '../setup/agents.ts';
import { ROOT } from '../setup/bench-home.ts';
import { assertNothingLeft } from '../setup/leftovers.ts';
import { resultsOf } from '../setup/network.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const TOOLS = [
  'noise',
  'twice',
  'noise',
  'stranger',
  'huge',
  'list',
  'new',
  'wrong',
  'noise',
  'half',
  'noise',
  'flood',
  // Of five starts only four are granted.
  'late',
  'late',
  'late',
  'late',
  'parts',
  'pair',
];

describe('an MCP server that keeps to no rule', { timeout: 120_000, skip: lacks }, () => {
  test('spoils the call that it is rude in, and no other', async (t) => {
    const turns = TOOLS.map((name, n) => ({ calls: [{ name: `rude___${name}`, args: { n } }] }));
    const desk = await openAgentBench({ turns: [...turns, { text: 'done' }], after: 'fail' });
    t.after(() => desk.close());
    copyFileSync(join(ROOT, 'test/agents/rude-server.mjs'), join(desk.bench.workspace, 'rude-server.mjs'));
    // Longer than one timer can wait.
    const rude = { command: process.execPath, args: ['rude-server.mjs'], timeout: 3_000_000_000 };
    desk.agent('helper', { tools: ['@rude'], mcpServers: { rude } });
    desk.workflow('rude', { guardrails: { max_iterations: 30 } });
    const { run } = await desk.run('rude');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const results = resultsOf(desk, run.id).map((line) => line.slice(0, 70));
    const [noise, twice, after, stranger, huge, list, fresh, wrong, again, half, back, flood, ...rest] =
      results;
    for (const each of [noise, after, again, back]) assert.equal(each, 'ok after noise');
    assert.deepEqual(
      [twice, stranger, list, flood],
      ['ok first', 'ok for you', 'ok changed', 'ok after the flood'],
    );
    assert.match(huge ?? '', /^ok (z|\{)/);
    // What it offers is asked once, when it starts: a list that changes later gives an agent nothing.
    assert.match(fresh ?? '', /^error there is no tool rude___new/);
    assert.match(wrong ?? '', /^(error|ok) /);
    assert.match(half ?? '', /^error @rude\/half failed: its process ended/);
    const late = 'error @rude/late failed: the database timed out, a timeout of its own';
    assert.deepEqual(rest.slice(0, 4), [late, late, late, late]);
    assert.deepEqual(resultsOf(desk, run.id).slice(-2), [
      'ok said in a resource\n[resource file:///b.bin image/png]\n[resource_link file:///c]\n[image image/png]',
      'ok one of two',
    ]);
    checkPairs(desk.agentEvents(run.id));
    assertNothingLeft(run.id);
  });

  test('tells nobody what it was given to log in, and writes on no terminal', async (t) => {
    const token = 'a-token-of-its-own-1';
    const desk = await openAgentBench({
      turns: [{ calls: [{ name: 'rude___token', args: {} }] }, { text: 'done' }],
    });
    t.after(() => desk.close());
    copyFileSync(join(ROOT, 'test/agents/rude-server.mjs'), join(desk.bench.workspace, 'rude-server.mjs'));
    const serve = (env: object): void =>
      desk.agent('helper', {
        tools: ['@rude'],
        mcpServers: {
          rude: { command: process.execPath, args: ['rude-server.mjs'], env: { API_TOKEN: token, ...env } },
        },
      });
    serve({});
    desk.workflow('rude');
    const { run } = await desk.run('rude');
    assert.match(resultsOf(desk, run.id)[0] ?? '', /^ok I was given hmac:[0-9a-f:]+$/);
    assert.ok(!JSON.stringify(desk.provider.requests.map(({ body }) => body)).includes(token));
    serve({ REFUSES: '1' });
    const refused = (await desk.run('rude')).run;
    assert.match(
      refused.error?.message ?? '',
      /^the MCP server "rude" did not start: hmac:[0-9a-f:]+ is no token$/,
    );
    assertNothingLeft(run.id);
  });
});
