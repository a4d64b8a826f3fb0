import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { hashJson } from '../../src/audit/canonical.ts';
import { lines } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, API_KEY, openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, outputsOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

async function benchFor(t: TestContext, turns: readonly MockTurn[]): Promise<AgentBench> {
  const bench = await openAgentBench({ turns, after: 'fail' });
  t.after(() => bench.close());
  return bench;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Call → outcome and what the model was told. */
function resultsOf(desk: AgentBench, id: string): Readonly<Record<string, readonly [string, string]>> {
  return Object.fromEntries(
    desk
      .agentEvents(id)
      .flatMap((event) =>
        event.type === 'agent.tool_ended' ? [[event.call, [event.outcome, textOf(event.result)]]] : [],
      ),
  );
}

interface PermitRow {
  readonly kind: string;
  readonly tool?: string | null;
  readonly call?: string | null;
  readonly iteration?: number;
  readonly tier: string;
  readonly decision: string;
  readonly args_hash: string;
}

function permitsOf(desk: AgentBench, id: string): PermitRow[] {
  const database = new DatabaseSync(join(desk.bench.home, 'q-workflow.db'), { readOnly: true });
  try {
    return database
      .prepare("SELECT body FROM audit WHERE instance = ? AND type = 'permit.decided' ORDER BY seq")
      .all(id)
      .map((row) => (JSON.parse(String(row['body'])) as { data: PermitRow }).data);
  } finally {
    database.close();
  }
}

/** What came with a request, as the chat completions wire has it. */
function bodyOf(desk: AgentBench, index: number) {
  const request = desk.provider.requests[index] ?? assert.fail(`there is no request ${index}`);
  return request.body as {
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
  };
}

function filesBelow(folder: string): string[] {
  return globSync('**/*', { cwd: folder })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}

describe('an agent step', { timeout: 300_000, skip: lacks }, () => {
  test('answers with text, and the text is its declared output', async (t) => {
    const desk = await benchFor(t, [{ text: 'all is well' }]);
    desk.workflow('talk', { outputs: ['verdict'] });
    const { run, code } = await desk.run('talk');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(outputsOf(run, 'a'), {
      text: 'all is well',
      verdict: 'all is well',
      iterations: 1,
      usage: { in: 120, out: 30, cached: 0, estimated: false },
      tool_calls: 0,
    });
    assert.deepEqual(lines(desk.agentEvents(run.id)), ['requested 1', 'answered 1 stop']);
    assertNothingLeft(run.id);
  });

  test('two calls in one answer run in the sandbox, side by side', async (t) => {
    const desk = await benchFor(t, [
      {
        calls: [
          { name: 'fs_write', args: { path: 'out/x.txt', content: 'made by a tool' } },
          { name: 'exec', args: { argv: ['sh', '-c', 'echo "$Q_WORKFLOW_STEP"; cat /etc/shadow; true'] } },
        ],
      },
      { calls: [{ name: 'fs_read', args: { path: 'out/x.txt' } }, { name: 'nonsense' }] },
      { text: 'ok' },
    ]);
    desk.workflow('two');
    const { run, code } = await desk.run('two');
    assert.equal(code, 0, JSON.stringify(run.error));
    const results = resultsOf(desk, run.id);
    assert.deepEqual(results['c1-1'], ['ok', 'wrote out/x.txt: 14 bytes']);
    assert.deepEqual(results['c1-2'], ['ok', 'a\nstderr:\ncat: /etc/shadow: Permission denied']);
    assert.deepEqual(results['c2-1'], ['ok', 'made by a tool']);
    assert.equal(results['c2-2']?.[0], 'error');
    const decided = permitsOf(desk, run.id);
    assert.deepEqual(decided.map(({ kind, tool }) => `${kind} ${tool ?? ''}`.trim()).sort(), [
      'model',
      'model',
      'model',
      'spawn',
      'tool exec',
      'tool fs_read',
      'tool fs_write',
    ]);
    const read = decided.find(({ tool }) => tool === 'fs_read');
    assert.deepEqual(
      [read?.call, read?.iteration, read?.tier, read?.decision],
      ['c2-1', 2, 'agent', 'allow'],
    );
    assert.equal(read?.args_hash, hashJson({ path: 'out/x.txt' }));
    assertNothingLeft(run.id);
  });

  test('what goes wrong in a stream is tried again, and counted apart', async (t) => {
    const desk = await benchFor(t, [
      { fault: { kind: 'status', status: 429, retryAfter: '0' } },
      { text: 'cut off', fault: { kind: 'truncated' } },
      {
        calls: [
          { name: 'fs_list', args: '{"path": "' },
          { name: 'fs_list', args: { depth: 'deep' } },
        ],
      },
      { text: 'got there', usage: null },
    ]);
    desk.workflow('rough', { guardrails: { max_iterations: 2 } });
    const { run, code } = await desk.run('rough');
    assert.equal(code, 0, JSON.stringify(run.error));
    const { text, iterations, usage } = outputsOf(run, 'a');
    assert.deepEqual([text, iterations], ['got there', 2]);
    assert.equal((usage as { estimated: boolean }).estimated, true);
    const results = resultsOf(desk, run.id);
    assert.match(results['c1-1']?.[1] ?? '', /^the arguments are no JSON: /);
    assert.deepEqual(results['c1-2'], ['error', 'fs_list: depth must be a whole number']);
    const failures = lines(desk.agentEvents(run.id)).filter((line) => line.startsWith('request_failed'));
    assert.deepEqual(
      failures.map((line) => line.split(' ').slice(0, 3).join(' ')),
      ['request_failed 1.0 429', 'request_failed 1.1 -'],
    );
  });

  test('max_iterations ends an agent that never ends, with the numbers', async (t) => {
    let n = 0;
    const desk = await benchFor(
      t,
      Array.from({ length: 6 }, () => ({
        calls: [{ name: 'report_progress', args: { message: `${++n}` } }],
      })),
    );
    desk.workflow('endless', { guardrails: { max_iterations: 3 } });
    const { run, code } = await desk.run('endless');
    assert.equal(code, 1);
    assert.equal(run.error?.code, 'AGENT_LIMIT');
    assert.equal(run.error.message, "max_iterations 3: 3 used, its last answer's 1 tool calls were not run");
    assert.equal(desk.provider.requests.length, 3);
    assert.equal(resultsOf(desk, run.id)['c3-1'], undefined);
  });

  test('what agent file and guardrails do not give is not offered, and denied when it is called', async (t) => {
    const desk = await benchFor(t, [
      {
        calls: [
          { name: 'execute_bash', args: { command: 'touch no' } },
          { name: 'fs_read', args: { path: '.env' } },
          // What an agent file calls fs_read lists and searches, too.
          { name: 'fs_list', args: { path: 'src' } },
        ],
      },
      { text: 'ok' },
    ]);
    mkdirSync(join(desk.bench.workspace, 'src'));
    desk.agent('helper', {
      tools: ['read', 'execute_bash'],
      toolsSettings: { fs_read: { deniedPaths: ['.env'] } },
    });
    desk.workflow('narrow', { guardrails: { allowed_tools: ['fs_read', 'fs_write'] } });
    const { run } = await desk.run('narrow');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const { tools } = bodyOf(desk, 0);
    assert.deepEqual(
      tools?.map((tool) => tool.function.name),
      ['fs_read', 'fs_list', 'search'],
    );
    const results = resultsOf(desk, run.id);
    assert.deepEqual(results['c1-1'], [
      'denied',
      'denied: execute_bash is not allowed here; the tools of this agent are fs_read, fs_list, search',
    ]);
    assert.deepEqual(results['c1-2'], ['denied', 'denied: the agent file denies the path .env']);
    assert.equal(results['c1-3']?.[0], 'ok', results['c1-3']?.[1]);
  });

  test('a file and an output of megabytes are told by their ends, and fail nothing', async (t) => {
    const desk = await benchFor(t, [
      {
        calls: [
          { name: 'fs_read', args: { path: 'large.txt' } },
          { name: 'execute_bash', args: { command: 'seq 1 400000; echo why it failed; exit 3' } },
        ],
      },
      { text: 'read' },
    ]);
    writeFileSync(join(desk.bench.workspace, 'large.txt'), `begin\n${'x'.repeat(3_000_000)}\nend\n`);
    desk.workflow('large');
    const { run } = await desk.run('large');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const results = resultsOf(desk, run.id);
    const [outcome, text = ''] = results['c1-1'] ?? [];
    assert.equal(outcome, 'ok', text.slice(0, 200));
    assert.match(text, /^begin\nx+\n\[… 2934475 bytes left out …\]\nx+\nend\n$/);
    assert.match(results['c1-2']?.[1] ?? '', /^exit code 3\n1\n2\n.*\n400000\nwhy it failed$/s);
  });

  test('the tools stay in the workspace, and no secret or key is anywhere', async (t) => {
    const desk = await benchFor(t, [
      {
        calls: [
          { name: 'fs_read', args: { path: '/etc/hostname' } },
          { name: 'fs_read', args: { path: 'way-out' } },
          { name: 'fs_write', args: { path: 'way-out', content: 'x' } },
          { name: 'exec', args: { argv: ['env'] } },
          { name: 'http_fetch', args: { url: `${'http://127.0.0.1:1'}/` } },
          { name: 'execute_bash', args: { command: 'echo hello | cat' } },
          { name: 'execute_bash', args: { command: 'echo $BASH_ENV' } },
        ],
      },
      { text: `the key is ${API_KEY}` },
    ]);
    symlinkSync('/etc/passwd', join(desk.bench.workspace, 'way-out'));
    desk.workflow('inside');
    const { run } = await desk.run('inside');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const results = resultsOf(desk, run.id);
    assert.deepEqual(results['c1-1'], ['error', '/etc/hostname lies outside of the workspace']);
    assert.deepEqual(results['c1-2'], ['error', 'way-out lies outside of the workspace']);
    // The policy knows where the link leads, too.
    assert.deepEqual(results['c1-3'], [
      'denied',
      'denied: it is read or run when the user next logs in or calls a program',
    ]);
    assert.equal(results['c1-4']?.[0], 'ok');
    assert.equal(results['c1-5']?.[0], 'error');
    assert.deepEqual(results['c1-6']?.[0], 'ok');
    assert.match(results['c1-6']?.[1] ?? '', /hello$/);
    assert.deepEqual(results['c1-7'], ['ok', '(no output)']);
    const everything = `${JSON.stringify(run)}${JSON.stringify(desk.bench.journal(run.id))}`;
    assert.ok(!everything.includes(API_KEY));
    assert.match(JSON.stringify(outputsOf(run, 'a')['text']), /^"the key is hmac:[0-9a-f]{8}:[0-9a-f]{12}"$/);
    for (const file of filesBelow(desk.bench.home))
      assert.ok(!readFileSync(file).includes(API_KEY), `${file} holds the key`);
  });

  test('a stop during a slow answer ends it, and no request comes after', async (t) => {
    const desk = await benchFor(t, [
      { text: 'x'.repeat(5000), fault: { kind: 'slow', bytesPerSecond: 100 } },
    ]);
    desk.workflow('slow');
    const id = await desk.start('slow');
    await desk.provider.whenAsked(1);
    await desk.bench.q('stop', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'stopped');
    await eventually('the connection is closed', () => desk.provider.requests[0]?.wasAborted);
    assert.equal(desk.provider.requests.length, 1);
  });

  test('a conversation skill is one turn without tools', async (t) => {
    const desk = await benchFor(t, [{ text: 'a poem about rain' }]);
    desk.bench.skill('poem', {
      type: 'conversation',
      prompt: 'Write about {topic}.',
      parameters: [{ name: 'topic', type: 'string', required: true }],
    });
    desk.bench.workflow('verse', {
      steps: [{ id: 'a', type: 'skill', skill: 'poem', inputs: { topic: 'rain' }, outputs: ['poem'] }],
    });
    const { run, code } = await desk.run('verse');
    assert.equal(code, 0, JSON.stringify(run.error));
    const { text, stdout, poem } = outputsOf(run, 'a');
    assert.deepEqual([text, stdout, poem], ['a poem about rain', 'a poem about rain', 'a poem about rain']);
    const body = bodyOf(desk, 0);
    assert.equal(body.tools, undefined);
    assert.ok(JSON.stringify(body.messages).includes('Write about rain.'));
  });

  test('without a model a run is refused at its start, with what to do', async (t) => {
    const desk = await benchFor(t, []);
    desk.workflow('none');
    const { status, stdout, stderr } = await desk.bench.q('run', 'none', '--json');
    assert.equal(status, 3);
    assert.match(stdout + stderr, /MODEL_NOT_CONFIGURED/);
    assert.match(
      stdout + stderr,
      /agent helper needs a model: .*config\.json names none, and Q_WORKFLOW_MODEL is not set/,
    );
  });

  test('the answer is held to its schema, and a skill can be used', async (t) => {
    const desk = await benchFor(t, [
      { calls: [{ name: 'use_skill', args: { skill: 'twice', inputs: { n: 21 } } }] },
      { text: '{"n": "42"}' },
      { text: '{"n": 42}' },
    ]);
    desk.bench.skill('twice', { type: 'code_inline', command: 'sh', args: ['-c', 'echo $((2 * {n}))'] });
    desk.workflow('schema', {
      outputs: ['n'],
      guardrails: {
        output_schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
      },
    });
    const { run, code } = await desk.run('schema');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'a')['n'], 42);
    assert.match(resultsOf(desk, run.id)['c1-1']?.[1] ?? '', /"stdout":"42"/);
    const messages = JSON.stringify(bodyOf(desk, 2).messages);
    assert.ok(messages.includes('This answer cannot be used: /n must be integer.'), messages);
  });
});
