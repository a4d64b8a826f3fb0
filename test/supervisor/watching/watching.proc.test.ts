import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { StatusDocument, SupervisorStatus } from '../../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../../setup/bench-home.ts';
import { endOf, pidIn, startRun } from '../../setup/leftovers.ts';

interface Received {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

describe('a supervisor that is watched', { timeout: 120_000 }, () => {
  let bench: Bench;
  let server: Server;
  let received: Received[];
  /** Statuses of the next answers; then 200. */
  let answers: (number | 'hang')[];
  let port: number;

  beforeEach(async () => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'hi' });
    bench.skill('fail', { type: 'code_inline', command: 'false' });
    bench.skill('work', { type: 'code_inline', command: 'true' });
    bench.workflow('good', { steps: [{ id: 'a', type: 'skill', skill: 'work' }] });
    bench.workflow('bad', { steps: [{ id: 'a', type: 'skill', skill: 'fail' }] });
    received = [];
    answers = [];
    server = createServer((incoming, response) => {
      let text = '';
      incoming.on('data', (chunk) => {
        text += String(chunk);
      });
      incoming.on('end', () => {
        received.push({ path: incoming.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
        const answer = answers.shift() ?? 200;
        if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await bench.close();
  });

  const configure = (content: object): void => {
    const folder = join(dirname(bench.home), '.config', 'q-workflow');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(content));
  };
  const chat = (more: object = {}): object => ({
    webhook: { url: `http://127.0.0.1:${port}/chat` },
    ...more,
  });
  const status = async (): Promise<SupervisorStatus> =>
    (await bench.json('supervisor', 'status')) as SupervisorStatus;
  const news = (): Received[] => received.filter(({ path }) => path === '/chat');

  test('a failed run is told, again after a failure; a target that hangs holds up nothing', async () => {
    const hangs = bench.script(
      'hang.sh',
      '#!/bin/sh\ntrap "" TERM\necho $$ > hang.new && mv hang.new hang.pid\nsleep 300 & wait\nsleep 300\n',
    );
    const folder = bench.workspace;
    configure({
      notifications: {
        chat: chat({ events: ['run.failed'] }),
        pager: { command: ['sh', '-c', `cd ${folder} && exec ${hangs}`], timeout: 60 },
      },
    });
    answers = [503];
    assert.equal((await bench.q('run', 'good')).status, 0);
    const ran = await bench.q('run', 'bad', '--json');
    assert.equal(ran.status, 1);
    const { id } = JSON.parse(ran.stdout) as StatusDocument;
    await eventually('the second attempt', () => news().length === 2);
    const [first, second] = news();
    assert.deepEqual(first, second);
    const { event, instance, workflow, text, details } = second?.body ?? {};
    assert.deepEqual([event, instance, workflow], ['run.failed', id, 'bad']);
    assert.match(String(text), new RegExp(`^bad \\(${id}\\) failed: `));
    assert.equal((details as { status: string }).status, 'failed');
    const pager = await pidIn(join(folder, 'hang.pid'));
    const { notifications } = await status();
    assert.deepEqual(notifications, { targets: ['chat', 'pager'], pending: 1, delivered: 1, failed: 0 });
    // Leaving ends it, by force.
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.throws(() => process.kill(pager, 0), { code: 'ESRCH' });
  });

  test('what could not be told before a crash is told by the next supervisor', async () => {
    configure({ notifications: { chat: chat() } });
    answers = [503, 503];
    await bench.q('run', 'bad');
    await eventually('the first attempt', () => news().length === 1);
    const pid = await bench.supervisorPid();
    process.kill(pid, 'SIGKILL');
    await eventually('its end', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    await eventually('the delivery', async () => (await status()).notifications.delivered === 1);
    assert.equal(new Set(news().map(({ body }) => body['id'])).size, 1);
    assert.equal(news().length, 3);
  });

  test('approvals and kill switches are told; a failure for good is in the audit; a reload takes new targets', async () => {
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    configure({ notifications: { chat: chat({ events: ['approval.requested', 'kill.tripped'] }) } });
    assert.equal((await bench.q('policy', 'reload')).status, 0);
    bench.workflow('ask', { steps: [{ id: 'ask', type: 'approval', message: 'May I?' }] });
    const id = await startRun(bench, 'ask');
    await eventually('the approval', () => news().length === 1);
    assert.match(
      String(news()[0]?.body['text']),
      new RegExp(`^ask \\(${id}\\) waits for approval 1: .* q workflow approve ${id} 1$`),
    );
    const shown = await status();
    assert.equal(shown.approvals?.pending, 1);
    assert.ok(shown.approvals?.oldest !== null);
    answers = [404];
    assert.equal((await bench.q('kill', `instance:${id}`, '--reason', 'test')).status, 0);
    await eventually('the switch', () => news().length === 2);
    assert.equal(news()[1]?.body['event'], 'kill.tripped');
    const failed = await eventually('the record', async () => {
      const { stdout } = await bench.q('audit', 'list', '--type', 'notification.failed', '--json');
      return stdout.includes('notification.failed') ? stdout : null;
    });
    assert.match(failed, /status 404/);
    assert.ok(!failed.includes('/chat'), 'no part of the address');
    assert.deepEqual(
      (await status()).kill_switches.map(({ scope, reason }) => [scope, reason]),
      [[`instance:${id}`, 'test']],
    );
    assert.equal((await bench.q('audit', 'verify')).status, 0);
  });

  test('a mistake in the configuration is shown, and keeps nothing from running', async () => {
    configure({ notifications: { chat: {} } });
    assert.equal((await bench.q('run', 'good')).status, 0);
    const { problems } = await status();
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /\$\.notifications\.chat needs either webhook or command$/);
    const { stdout } = await bench.q('supervisor', 'status');
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(stdout, /^ {2}store {6}commit p50 [\d.]+ ms, p99 [\d.]+ ms \(\d+ writes\); 0 pending$/m);
  });

  test('metrics, by command and on this machine', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const own = (free.address() as AddressInfo).port;
    await new Promise((resolve) => free.close(resolve));
    const started = await bench.qWith({ Q_WORKFLOW_METRICS: `127.0.0.1:${own}` }, 'supervisor', 'start');
    assert.equal(started.status, 0, started.stderr);
    await bench.q('run', 'good');
    await bench.q('run', 'bad');
    const { stdout } = await bench.q('supervisor', 'metrics');
    for (const line of [
      'q_workflow_runs_created_total{workflow="good"} 1',
      'q_workflow_runs_ended_total{workflow="good",status="completed"} 1',
      'q_workflow_runs_ended_total{workflow="bad",status="failed"} 1',
      'q_workflow_steps_total{outcome="completed"} 1',
      'q_workflow_queue_length 0',
    ])
      assert.ok(stdout.split('\n').includes(line), `${line}\n\n${stdout}`);
    const page = (path: string, host = `127.0.0.1:${own}`): Promise<{ status: number; text: string }> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: own, path, headers: { host } }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += String(chunk);
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        })
          .on('error', reject)
          .end();
      });
    const served = await page('/metrics');
    assert.equal(served.status, 200);
    assert.match(served.text, /^q_workflow_runs_ended_total\{workflow="bad",status="failed"\} 1$/m);
    assert.equal((await page('/')).status, 404);
    assert.equal((await page('/metrics', 'rebound.example')).status, 403);
  });

  test('OpenTelemetry gets a trace of the run, and metrics', async () => {
    const started = await bench.qWith(
      { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_METRIC_EXPORT_INTERVAL: '300' },
      'supervisor',
      'start',
    );
    assert.equal(started.status, 0, started.stderr);
    const { id } = (await bench.json('run', 'good')) as StatusDocument;
    interface Sent {
      readonly resourceSpans: readonly [
        { scopeSpans: readonly [{ spans: readonly Record<string, unknown>[] }] },
      ];
    }
    const spans = await eventually('the spans', () => {
      const sent = received
        .filter(({ path }) => path === '/v1/traces')
        .map(({ body }) => body as unknown as Sent);
      const all = sent.flatMap(({ resourceSpans: [{ scopeSpans }] }) => scopeSpans[0].spans);
      return all.length >= 2 ? all : null;
    });
    assert.deepEqual(new Set(spans.map(({ name }) => name)), new Set(['step a', 'workflow good']));
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    assert.ok(JSON.stringify(spans).includes(id));
    const metrics = await eventually('the metrics', () =>
      received.find(({ path, body }) => path === '/v1/metrics' && JSON.stringify(body).includes('"good"')),
    );
    assert.ok(!JSON.stringify(metrics.body).includes(id), 'no id in metrics');
  });

  test('a collector that hangs does not keep the supervisor from leaving', async () => {
    await bench.qWith(
      { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_METRIC_EXPORT_INTERVAL: '100' },
      'supervisor',
      'start',
    );
    answers = Array.from({ length: 100 }, () => 'hang' as const);
    await eventually('a sending', () => received.length > 0);
    const before = performance.now();
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.ok(performance.now() - before < 8000, 'it left within the two seconds it gives the collector');
  });

  test('a full machine: the queue goes by priority, and says so', async () => {
    const half = { max_memory_mb: Math.floor((totalmem() * 0.6) / 1024 / 1024) };
    bench.script('wait.sh', 'while [ ! -e "$1" ]; do sleep 0.05; done; echo "$1" >> order.txt');
    bench.skill('wait', { type: 'code_inline', command: 'sh', args: ['wait.sh', '{{ file }}'] });
    const step = (file: string): object => ({ id: 'a', type: 'skill', skill: 'wait', inputs: { file } });
    bench.workflow('holder', { resource_limits: half, steps: [step('go-holder')] });
    bench.workflow('low', { resource_limits: { ...half, priority: -5 }, steps: [step('go-low')] });
    bench.workflow('plain', { resource_limits: half, steps: [step('go-plain')] });
    const wrong = await bench.q('run', 'plain', '--priority', '11');
    assert.equal(wrong.status, 2);
    const holder = await startRun(bench, 'holder');
    const low = await startRun(bench, 'low');
    const plain = await startRun(bench, 'plain');
    const raised = await startRun(bench, 'plain', '--priority', '9');
    const { queue, capacity } = await status();
    assert.deepEqual(
      queue.map(({ id, priority }) => [id, priority]),
      [
        [raised, 9],
        [plain, 0],
        [low, -5],
      ],
    );
    assert.match(queue[0]?.waits_for ?? '', /^\d+ MB of memory \(\d+ MB of \d+ MB free\)$/);
    assert.equal(capacity.memory_promised_bytes, half.max_memory_mb * 1024 * 1024);
    for (const file of ['go-plain', 'go-low', 'go-holder']) writeFileSync(join(bench.workspace, file), '');
    for (const id of [holder, raised, plain, low]) assert.equal((await endOf(bench, id)).status, 'completed');
    assert.equal(
      readFileSync(join(bench.workspace, 'order.txt'), 'utf8'),
      'go-holder\ngo-plain\ngo-plain\ngo-low\n',
    );
  });
});
