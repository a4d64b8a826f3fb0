import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createDeliver } from '../../../src/supervisor/notify/deliver.ts';
import type { Notification } from '../../../src/supervisor/notify/notification.ts';
import type { Target } from '../../../src/supervisor/notify/targets.ts';
import type { PostOutcome } from '../../../src/supervisor/watching/http-post.ts';
import { eventually } from '../../setup/bench-home.ts';

const NEWS: Notification = {
  id: 'log:7',
  event: 'run.failed',
  at: '2026-06-01T12:00:00.000Z',
  workflow: 'deploy',
  instance: 'abc',
  text: 'deploy (abc) failed: <!channel> & co',
  details: { status: 'failed' },
};

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('a delivery', { timeout: 60_000 }, () => {
  let folder: string;
  let server: Server;
  let host: string;
  let asked: Asked[];
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qw-deliver-'));
    asked = [];
    answer = (response) => response.end();
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        asked.push({ url: request.url ?? '', headers: request.headers, body });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const tell = (
    means: Target['means'],
    timeoutMs = 5000,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<PostOutcome> =>
    createDeliver(folder, { TOKEN: 'T0KEN' })(
      { name: 't', means, timeoutMs, events: [], workflows: [] },
      NEWS,
      signal,
    );
  const webhook = (more: Partial<Extract<Target['means'], { kind: 'webhook' }>> = {}): Target['means'] => ({
    kind: 'webhook',
    url: `http://${host}/hook/T0KEN`,
    headers: [],
    format: 'json',
    ...more,
  });

  test('a webhook gets the JSON, with headers from secrets and variables', async () => {
    writeFileSync(join(folder, 'CHAT_URL'), `http://${host}/from-a-secret\n`);
    const outcome = await tell(
      webhook({
        url: { secret: 'CHAT_URL' },
        headers: [{ name: 'authorization', prefix: 'Bearer ', value: { env: 'TOKEN' } }],
      }),
    );
    assert.deepEqual(outcome, { kind: 'done' });
    assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), NEWS);
    assert.equal(asked[0]?.url, '/from-a-secret');
    assert.equal(asked[0]?.headers.authorization, 'Bearer T0KEN');
    assert.equal(asked[0]?.headers['content-type'], 'application/json');
  });

  test('Slack gets the text alone, and nobody is called by it', async () => {
    await tell(webhook({ format: 'slack' }));
    assert.equal(asked[0]?.body, '{"text":"deploy (abc) failed: &lt;!channel&gt; &amp; co"}');
  });

  for (const [status, isFinal] of [
    [500, false],
    [429, false],
    [408, false],
    [404, true],
    [400, true],
  ] as const)
    test(`status ${status} is ${isFinal ? 'final' : 'worth another try'}, and no word of the answer is kept`, async () => {
      answer = (response) => response.writeHead(status).end('T0KEN is wrong');
      assert.deepEqual(await tell(webhook()), { kind: 'failed', why: `${host}: status ${status}`, isFinal });
    });

  test('a redirect is refused, wherever it leads', async () => {
    answer = (response) => response.writeHead(307, { location: `http://${host}/elsewhere` }).end();
    assert.deepEqual(await tell(webhook()), {
      kind: 'failed',
      why: `${host}: redirects are refused (307)`,
      isFinal: true,
    });
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['/hook/T0KEN'],
    );
  });

  test('a server that takes the request and never answers', async () => {
    answer = () => undefined;
    assert.deepEqual(await tell(webhook(), 200), {
      kind: 'failed',
      why: `${host}: no answer within 0.2 s`,
      isFinal: false,
    });
    assert.equal(asked.length, 1);
  });

  test('a slow server that answers in time, however long its answer is', async () => {
    answer = (response) => {
      setTimeout(() => {
        response.writeHead(200);
        response.write('x'.repeat(100_000));
      }, 100);
    };
    assert.deepEqual(await tell(webhook()), { kind: 'done' });
  });

  test('nobody listens, or the connection breaks', async () => {
    answer = (response) => response.destroy();
    assert.deepEqual(await tell(webhook()), { kind: 'failed', why: `${host}: ECONNRESET`, isFinal: false });
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(await tell(webhook()), { kind: 'failed', why: `${host}: ECONNREFUSED`, isFinal: false });
  });

  test('a call that is called off ends at once', async () => {
    const off = new AbortController();
    answer = () => off.abort();
    assert.deepEqual(await tell(webhook(), 5000, off.signal), {
      kind: 'failed',
      why: `${host}: it was called off`,
      isFinal: false,
    });
  });

  test('a secret that is missing is named, one that is no address is not repeated', async () => {
    assert.deepEqual(await tell(webhook({ url: { secret: 'NONE' } })), {
      kind: 'failed',
      why: 'the secret "NONE" is not stored',
      isFinal: true,
    });
    writeFileSync(join(folder, 'FAR'), 'http://far.example/T0KEN');
    assert.deepEqual(await tell(webhook({ url: { secret: 'FAR' } })), {
      kind: 'failed',
      why: 'the address is none, or not https',
      isFinal: true,
    });
    writeFileSync(join(folder, 'BROKEN'), 'a\nb');
    const broken = await tell(webhook({ headers: [{ name: 'x', prefix: '', value: { secret: 'BROKEN' } }] }));
    assert.deepEqual(broken, { kind: 'failed', why: `${host}: ERR_INVALID_CHAR`, isFinal: true });
  });

  const script = (text: string): Target['means'] => {
    const file = join(folder, 'script');
    writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return { kind: 'command', argv: [file, folder, '$(touch made)'] };
  };
  const said = (name: string): string => readFileSync(join(folder, name), 'utf8').trim();
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      // One that nobody reaped yet is dead.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  test('a command gets the JSON on its stdin, its arguments as they are, and little of the environment', async () => {
    process.env['QW_TEST_SECRET'] = 'T0KEN';
    const outcome = await tell(
      script('cat > "$1/in"; printf %s "$2" > "$1/argument"; env > "$1/env"; pwd > "$1/pwd"'),
    );
    delete process.env['QW_TEST_SECRET'];
    assert.deepEqual(outcome, { kind: 'done' });
    assert.deepEqual(JSON.parse(said('in')), NEWS);
    assert.equal(said('argument'), '$(touch made)');
    assert.ok(!said('env').includes('T0KEN'));
    assert.equal(said('pwd'), '/');
  });

  test('a command that fails is worth another try, one that is not there is not', async () => {
    const failing = script('exit 3');
    assert.deepEqual(await tell(failing), {
      kind: 'failed',
      why: `${join(folder, 'script')}: exit status 3`,
      isFinal: false,
    });
    const missing = join(folder, 'missing');
    assert.deepEqual(await tell({ kind: 'command', argv: [missing] }), {
      kind: 'failed',
      why: `${missing}: ENOENT`,
      isFinal: true,
    });
  });

  test('a command that reads nothing is no failure', async () => {
    assert.deepEqual(await tell(script('exit 0')), { kind: 'done' });
  });

  test('a command that ignores SIGTERM is killed with what it started', async () => {
    const means = script(
      'trap "" TERM; sleep 300 & echo $! > "$1/child"; echo $$ > "$1/self.new"; mv "$1/self.new" "$1/self"; while :; do sleep 1; done',
    );
    const outcome = tell(means, 500);
    await eventually('the command', () => existsSync(join(folder, 'self')));
    const pids = [Number(said('self')), Number(said('child'))];
    assert.deepEqual(pids.map(isAlive), [true, true]);
    assert.deepEqual(await outcome, {
      kind: 'failed',
      why: `${join(folder, 'script')}: did not end within 0.5 s`,
      isFinal: false,
    });
    await eventually('their end', () => !pids.some(isAlive), 2000);
  });

  test('what a command leaves behind ends with it', async () => {
    const outcome = await tell(script('sleep 300 & echo $! > "$1/child"'));
    assert.deepEqual(outcome, { kind: 'done' });
    const pid = Number(said('child'));
    assert.ok(pid > 0);
    await eventually('its end', () => !isAlive(pid), 2000);
  });
});
