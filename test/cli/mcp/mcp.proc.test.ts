import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { createMCPClient } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio';
import { type Bench, eventually, openBench, ROOT } from '../../setup/bench-home.ts';
import { RawClient } from './raw-client.ts';

describe('mcp', { timeout: 180_000 }, () => {
  let bench: Bench;
  const open: RawClient[] = [];
  before(() => {
    bench = openBench();
    bench.script('greet.sh', 'echo "hello $SKILL_PARAM_who"; echo "a note" >&2');
    bench.script('slow.sh', 'echo began; until [ -e go ]; do sleep 0.05; done; echo done');
    bench.skill('greet', {
      type: 'code_inline',
      command: 'sh',
      args: ['greet.sh'],
      parameters: [{ name: 'who', type: 'string' }],
    });
    bench.skill('slow', { type: 'code_inline', command: 'sh', args: ['slow.sh'] });
    bench.skill('big', { type: 'code_inline', command: 'seq', args: ['1', '20000'] });
    bench.workflow('greeting', {
      description: 'Greets somebody.',
      inputs: { who: { type: 'string', required: true } },
      steps: [{ id: 'greet', type: 'skill', skill: 'greet', inputs: { who: 'inputs.who' } }],
    });
    bench.workflow('slow', { steps: [{ id: 'slow', type: 'skill', skill: 'slow' }] });
    bench.workflow('big', { steps: [{ id: 'big', type: 'skill', skill: 'big' }] });
    bench.workflow('broken', { steps: [] });
  });
  afterEach(async () => {
    for (const client of open.splice(0)) if (client.child.exitCode === null) await client.leave();
  });
  after(() => bench.close());

  const start = async (...flags: readonly string[]): Promise<RawClient> => {
    const client = new RawClient(bench.start(['mcp', ...flags]));
    open.push(client);
    await client.open();
    return client;
  };
  const creatorOf = async (id: string): Promise<object | undefined> => {
    const { records } = (await bench.json('audit', 'list', '--instance', id)) as {
      records: { type: string; actor: object }[];
    };
    return records.find(({ type }) => type === 'instance.created')?.actor;
  };
  const go = (): void => writeFileSync(join(bench.workspace, 'go'), '');

  test('a real client lists the tools, runs a workflow and reads what it did', async () => {
    const client = await createMCPClient({
      clientName: 'ai-sdk-client',
      transport: new StdioTransport({
        command: join(ROOT, 'bin', 'q-workflow'),
        args: ['mcp'],
        cwd: bench.workspace,
        env: Object.fromEntries(Object.entries(bench.env).map(([name, value]) => [name, String(value)])),
        stderr: 'pipe',
      }),
    });
    try {
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint, annotations?.destructiveHint]),
        [
          ['list_workflows', true, false],
          ['show_workflow', true, false],
          ['run_workflow', false, false],
          ['list_instances', true, false],
          ['instance_status', true, false],
          ['instance_logs', true, false],
          ['stop_instance', false, true],
        ],
      );
      for (const { name, description, inputSchema } of tools) {
        assert.ok((description ?? '').length > 20, name);
        for (const schema of Object.values(inputSchema.properties ?? {}))
          assert.ok(String((schema as { description?: string }).description).length > 5, name);
      }
      const byName = await client.tools();
      const call = async (name: string, args: object): Promise<Record<string, unknown>> => {
        const run = byName[name]?.execute;
        assert.ok(run !== undefined, name);
        const answer = await run(args, { toolCallId: '1', messages: [], context: {} });
        return (answer as { structuredContent: Record<string, unknown> }).structuredContent;
      };
      const listed = (await call('list_workflows', {}))['workflows'] as { name: string; is_valid: boolean }[];
      assert.deepEqual(
        listed.map(({ name, is_valid }) => [name, is_valid]),
        [
          ['big', true],
          ['broken', false],
          ['greeting', true],
          ['slow', true],
        ],
      );
      const run = await call('run_workflow', {
        workflow: 'greeting',
        inputs: { who: 'world' },
        wait_seconds: 60,
      });
      assert.equal(run['status'], 'completed');
      const id = String(run['id']);
      assert.equal((await call('instance_status', { id }))['has_ended'], true);
      const logs = (await call('instance_logs', { id }))['lines'] as { stream: string; text: string }[];
      assert.deepEqual(logs.map(({ stream, text }) => `${stream} ${text}`).sort(), [
        'stderr a note',
        'stdout hello world',
      ]);
      assert.deepEqual(await creatorOf(id), {
        kind: 'person',
        id: userInfo().username,
        uid: process.getuid?.(),
        via: 'mcp ai-sdk-client',
      });
    } finally {
      await client.close();
    }
  });

  test('run_workflow answers at once, and a status that waits ends with the run', async () => {
    const client = await start();
    const started = await client.call('run_workflow', { workflow: 'slow' });
    assert.equal(started.isError, false);
    assert.equal(started.data['has_ended'], false);
    assert.match(started.text, /It goes on by itself\. Ask again with instance_status/);
    const waiting = client.call('instance_status', { id: started.data['id'], wait_seconds: 60 });
    go();
    assert.equal((await waiting).data['status'], 'completed');
  });

  test('a waiting run tells its progress to a client that gave a token, and to no other', async () => {
    const client = await start();
    const args = { workflow: 'greeting', inputs: { who: 'you' }, wait_seconds: 60 };
    await client.call('run_workflow', args);
    assert.deepEqual(client.notified, []);
    const { data } = await client.call('run_workflow', args, { progressToken: 'mine' });
    const [first, ...rest] = client.notified;
    assert.deepEqual(first, {
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 'mine', progress: 1, message: `${String(data['id'])} started` },
    });
    assert.deepEqual(
      rest.map(({ params }) => params?.['progress']),
      rest.map((_, index) => index + 2),
    );
  });

  test('a cancelled wait gets no answer, and the run goes on; stop_instance ends it', async () => {
    rmSync(join(bench.workspace, 'go'), { force: true });
    const client = await start();
    const started = await client.call('run_workflow', { workflow: 'slow' });
    const id = String(started.data['id']);
    client.request('tools/call', { name: 'instance_status', arguments: { id, wait_seconds: 600 } }).then(
      () => assert.fail('a cancelled call was answered'),
      () => undefined,
    );
    const cancelled = client.lastId;
    client.send({ method: 'notifications/cancelled', params: { requestId: cancelled, reason: 'enough' } });
    // Answered after the cancellation was read, on the same connection.
    const now = await client.call('instance_status', { id });
    assert.equal(now.data['has_ended'], false);
    const stopped = await client.call('stop_instance', { id });
    assert.deepEqual([stopped.data['status'], stopped.isError], ['stopped', false]);
    assert.ok(!client.lines.some((line) => (JSON.parse(line) as { id?: number }).id === cancelled));
    const again = await client.call('stop_instance', { id });
    assert.equal(again.isError, true);
    assert.match(again.text, /^ALREADY_ENDED: .*\nWhat to do: /);
  });

  test('bad calls are answered with code and hint, and the server lives on', async () => {
    const client = await start();
    const codeOf = async (name: string, args: object): Promise<string> => {
      const { isError, text, data, meta } = await client.call(name, args);
      assert.equal(isError, true, `${name} ${JSON.stringify(args)}`);
      // The client of the SDK holds it against the output schema, and would throw the error away.
      assert.equal(data, undefined);
      const error = meta['q-workflow/error'] as { code: string; hint: string };
      assert.ok(text.startsWith(`${error.code}: `) && text.endsWith(`What to do: ${error.hint}`), text);
      return error.code;
    };
    assert.equal(await codeOf('run_workflow', {}), 'USAGE');
    assert.equal(await codeOf('run_workflow', { workflow: 7 }), 'USAGE');
    assert.equal(await codeOf('run_workflow', { workflow: 'greeting', inputs: [] }), 'USAGE');
    assert.equal(await codeOf('run_workflow', { workflow: 'greeting' }), 'INPUT_INVALID');
    assert.equal(await codeOf('run_workflow', { workflow: 'nosuch' }), 'WORKFLOW_NOT_FOUND');
    assert.equal(await codeOf('run_workflow', { workflow: 'broken' }), 'DEFINITION_INVALID');
    assert.equal(await codeOf('instance_status', { id: 'zzzz' }), 'INSTANCE_NOT_FOUND');
    assert.equal(await codeOf('instance_status', { id: '__proto__', wait_seconds: 1e9 }), 'USAGE');
    assert.equal(await codeOf('instance_logs', { id: 'latest', grep: '(' }), 'USAGE');
    assert.equal(await codeOf('instance_logs', { id: 'latest', step: 'nosuch' }), 'STEP_NOT_FOUND');
    assert.equal(await codeOf('list_instances', { limit: 0 }), 'USAGE');
    client.write('this is no JSON\n[]\n{"jsonrpc":"2.0","id":{},"method":"tools/call"}\n');
    const { error } = await client.request('tools/call', { name: 'run_workflw', arguments: {} });
    assert.equal(error?.code, -32602);
    assert.match(error?.message ?? '', /there is no tool "run_workflw"; did you mean "run_workflow"\?/);
    for (const name of ['approve', 'deny', 'rearm', 'kill'])
      assert.equal((await client.request('tools/call', { name, arguments: {} })).error?.code, -32602, name);
    assert.equal((await client.call('list_instances', { all: true })).isError, false);
  });

  test('files outside the working folder are not run, whatever leads there', async () => {
    const outside = join(bench.workspace, '..', 'outside.json');
    writeFileSync(outside, '{}');
    symlinkSync(outside, join(bench.workspace, 'inside.json'));
    const client = await start();
    for (const workflow of ['../outside.json', outside, 'inside.json', '/nosuch/at/all.json']) {
      const { text } = await client.call('run_workflow', { workflow });
      assert.match(text, /^POLICY_DENIED: .* is not below .*, the folder of this server\n/, workflow);
    }
    const inside = await client.call('run_workflow', {
      workflow: '.amazonq/workflows/greeting.json',
      inputs: { who: 'file' },
      wait_seconds: 60,
    });
    assert.equal(inside.data['status'], 'completed');
  });

  test('--only offers the named workflows and no file, --read-only nothing that changes anything', async () => {
    const client = await start('--only', 'greeting', '--read-only');
    const { result } = await client.request('tools/list', {});
    assert.deepEqual(
      ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name),
      ['list_workflows', 'show_workflow', 'list_instances', 'instance_status', 'instance_logs'],
    );
    const { data } = await client.call('list_workflows', {});
    assert.deepEqual(
      (data['workflows'] as { name: string }[]).map(({ name }) => name),
      ['greeting'],
    );
    for (const workflow of ['slow', '.amazonq/workflows/greeting.json'])
      assert.match((await client.call('show_workflow', { workflow })).text, /^POLICY_DENIED: /);
    const refused = await client.request('tools/call', {
      name: 'run_workflow',
      arguments: { workflow: 'greeting' },
    });
    assert.equal(refused.error?.code, -32602);
    assert.equal((await client.call('show_workflow', { workflow: 'greeting' })).isError, false);
  });

  test('logs have a bound, however much a step wrote', async () => {
    const client = await start();
    const run = await client.call('run_workflow', { workflow: 'big', wait_seconds: 60 });
    assert.equal(run.data['status'], 'completed');
    assert.ok(run.text.length < 8192, `${run.text.length} characters`);
    const id = run.data['id'];
    const usual = await client.call('instance_logs', { id });
    assert.deepEqual([(usual.data['lines'] as object[]).length, usual.data['is_cut']], [100, true]);
    assert.match(usual.text, /\nbig \| 20000$/);
    const most = await client.call('instance_logs', { id, tail: 1000, grep: '^1' });
    assert.ok(most.text.length <= 33_000, `${most.text.length} characters`);
    assert.match(most.text, /^\(earlier lines are left out\)\n/);
  });

  test('when its input ends the server leaves at once, also in the middle of a wait; the run goes on', async () => {
    rmSync(join(bench.workspace, 'go'), { force: true });
    const client = await start();
    const started = await client.call('run_workflow', { workflow: 'slow' });
    const id = String(started.data['id']);
    client
      .request('tools/call', { name: 'instance_status', arguments: { id, wait_seconds: 600 } })
      .catch(() => undefined);
    const before = performance.now();
    assert.equal(await client.leave(), 0);
    assert.ok(performance.now() - before < 5000);
    assert.equal(client.stderr, '');
    for (const line of client.lines) assert.equal((JSON.parse(line) as { jsonrpc: string }).jsonrpc, '2.0');
    assert.equal((await bench.status(id)).ended_at, null);
    go();
    await eventually('the end of the run', async () => (await bench.status(id)).status === 'completed');
  });

  test('a client of the 2026 protocol is served without a handshake, and named in the audit log', async () => {
    const client = new RawClient(bench.start(['mcp']));
    open.push(client);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'newer\u001b[31m', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const run = await client.call(
      'run_workflow',
      { workflow: 'greeting', inputs: { who: 'new' }, wait_seconds: 60 },
      meta,
    );
    assert.equal(run.data['status'], 'completed');
    const creator = (await creatorOf(String(run.data['id']))) as { via: string };
    assert.equal(creator.via, 'mcp newer31m');
  });
});
