import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import type { RunnerResult } from '../../src/agents/runner/request.ts';
import { ROOT } from '../setup/bench-home.ts';

const RUNNER = join(ROOT, 'src/agents/runner/main.ts');
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-runner-'));
  mkdirSync(join(folder, 'src/deep'), { recursive: true });
  mkdirSync(join(folder, 'node_modules/x'), { recursive: true });
  writeFileSync(join(folder, 'src/a.ts'), 'one\ntwo twice\nthree\n');
  writeFileSync(join(folder, 'src/deep/b.md'), 'two\n');
  writeFileSync(join(folder, 'node_modules/x/c.ts'), 'two\n');
  writeFileSync(join(folder, 'binary'), Buffer.from([1, 0, 2]));
  symlinkSync('/etc', join(folder, 'out'));
  symlinkSync('src/a.ts', join(folder, 'inside'));
});
after(() => rmSync(folder, { recursive: true }));

function run(tool: string, args: object, patterns: readonly string[] = []): RunnerResult {
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', RUNNER], {
    cwd: folder,
    encoding: 'utf8',
    input: JSON.stringify({ tool, args, roots: [folder], denied: { patterns, home: null } }),
  });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as RunnerResult;
}

const fails = (tool: string, args: object): string => {
  const { isError, text } = run(tool, args);
  assert.equal(isError, true, text);
  return text;
};

test('fs_read gives a file or its lines, and says what it cannot read', () => {
  assert.deepEqual(run('fs_read', { path: 'src/a.ts' }), { isError: false, text: 'one\ntwo twice\nthree\n' });
  assert.equal(run('fs_read', { path: 'src/a.ts', start_line: 2, end_line: 2 }).text, 'two twice');
  assert.equal(run('fs_read', { path: 'inside', start_line: 3 }).text, 'three');
  assert.equal(fails('fs_read', { path: 'src/a.ts', start_line: 9 }), 'src/a.ts has only 3 lines');
  assert.equal(fails('fs_read', { path: 'src' }), 'src is a folder: fs_list lists it');
  assert.equal(fails('fs_read', { path: 'binary' }), 'binary is no text file (3 characters)');
  assert.match(fails('fs_read', { path: 'gone' }), /ENOENT/);
});

test('of a long text its beginning and end are printed, and how long it was, however JSON escapes it', () => {
  for (const letter of ['x', '\u0001', '\u65e5']) {
    const text = `first\n${letter.repeat(1_000_000)}\nlast`;
    writeFileSync(join(folder, 'long.txt'), text);
    const result = run('fs_read', { path: 'long.txt' });
    assert.equal(result.bytes, Buffer.byteLength(text));
    assert.match(result.text, /^first\n.*\n\[… \d+ bytes left out …\]\n.*\nlast$/s);
    assert.ok(Buffer.byteLength(JSON.stringify(result)) < 1024 * 1024);
  }
});

test('no tool leaves its folders, by dots, absolute paths or links', () => {
  for (const path of ['../x', '/etc/passwd', 'out/passwd', 'src/../../x', 'out'])
    assert.equal(fails('fs_read', { path }), `${path} lies outside of the workspace`);
  for (const [tool, more] of [
    ['fs_write', { content: 'x' }],
    ['fs_list', {}],
    ['search', { pattern: 'x' }],
  ] as const)
    assert.equal(fails(tool, { path: 'out', ...more }), 'out lies outside of the workspace', tool);
});

test('fs_write writes a file with its folders, or one place of it', () => {
  assert.equal(run('fs_write', { path: 'new/x.txt', content: 'ab ab' }).text, 'wrote new/x.txt: 5 bytes');
  assert.equal(
    fails('fs_write', { path: 'new/x.txt', old_text: 'ab', new_text: 'c' }),
    'old_text occurs more than once in new/x.txt: give more of it',
  );
  assert.equal(
    fails('fs_write', { path: 'new/x.txt', old_text: 'z', new_text: 'c' }),
    'old_text does not occur in new/x.txt',
  );
  assert.equal(
    fails('fs_write', { path: 'new/x.txt' }),
    'fs_write takes either content, or old_text and new_text',
  );
  run('fs_write', { path: 'new/x.txt', old_text: 'ab a', new_text: '$&' });
  assert.equal(readFileSync(join(folder, 'new/x.txt'), 'utf8'), '$&b');
});

test('fs_list and search see what is there, and not what nobody means', () => {
  assert.equal(run('fs_list', { path: 'src', depth: 2 }).text, 'a.ts\ndeep/\ndeep/b.md');
  assert.equal(run('search', { pattern: '^two' }).text, 'src/a.ts:2: two twice\nsrc/deep/b.md:1: two');
  assert.equal(run('search', { pattern: '^two', glob: '*.md' }).text, 'src/deep/b.md:1: two');
  assert.equal(
    run('search', { pattern: 'two', max: 1 }).text,
    'src/a.ts:2: two twice\n(only the first 1 matches are listed)',
  );
  assert.equal(run('search', { pattern: 'nowhere' }).text, 'no match');
  assert.match(fails('search', { pattern: '(' }), /^the pattern cannot be read: /);
});

test('what the agent file denies is passed over in a folder that is looked through', () => {
  assert.equal(run('search', { pattern: '^two' }, ['src/deep/**']).text, 'src/a.ts:2: two twice');
  assert.equal(run('search', { pattern: '^two' }, ['**/*.ts']).text, 'src/deep/b.md:1: two');
  assert.equal(run('fs_list', { path: 'src', depth: 2 }, ['src/deep']).text, 'a.ts\ndeep/');
});

test('http_fetch answers status, headers and body; a redirect is told, not followed', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: 'http://elsewhere.test/' }).end();
    else
      response.writeHead(200, { 'content-type': 'text/plain', 'x-other': '1' }).end(`${request.method} it`);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Not by spawnSync: the server answers from this very process.
  const fetched = async (args: object): Promise<RunnerResult> => {
    const child = spawn(process.execPath, ['--no-warnings', RUNNER], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const denied = { patterns: [], home: null };
    child.stdin.end(JSON.stringify({ tool: 'http_fetch', args, roots: [folder], denied }));
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    return JSON.parse(text) as RunnerResult;
  };
  assert.deepEqual(await fetched({ url: `${url}/x`, method: 'post', body: 'b' }), {
    isError: false,
    text: 'HTTP 200\ncontent-type: text/plain\n\nPOST it',
    bytes: 7,
  });
  assert.equal(
    (await fetched({ url: `${url}/away` })).text,
    'HTTP 302\nlocation: http://elsewhere.test/\n\n',
  );
  assert.equal(
    (await fetched({ url: 'file:///etc/passwd' })).text,
    'the url must begin with http:// or https://',
  );
});

test('a server behind HTTP is spoken to by lines: JSON, events, sessions and errors', async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      seen.push(
        `${method} ${String(request.headers['mcp-session-id'] ?? '-')} ${request.headers.authorization}`,
      );
      if (method === 'fail') response.writeHead(500).end();
      else if (method === 'note') response.writeHead(202).end();
      else if (method === 'events')
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(`event: message\ndata: {"id":${id},\ndata: "result":"two lines"}\n\n`);
      else
        response
          .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's-1' })
          .end(JSON.stringify({ id, result: method }));
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const child = spawn(process.execPath, ['--no-warnings', RUNNER, 'mcp'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const target = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    headers: { authorization: 'Bearer x' },
  };
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const heard = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  say(target);
  say({ id: 1, method: 'initialize' });
  assert.deepEqual(await heard(), { id: 1, result: 'initialize' });
  say({ method: 'note' });
  say({ id: 2, method: 'events' });
  assert.deepEqual(await heard(), { id: 2, result: 'two lines' });
  say({ id: 3, method: 'fail' });
  assert.deepEqual(await heard(), {
    jsonrpc: '2.0',
    id: 3,
    error: { code: -32000, message: 'the server answered HTTP 500' },
  });
  child.stdin.end();
  assert.deepEqual(seen, [
    'initialize - Bearer x',
    'note s-1 Bearer x',
    'events s-1 Bearer x',
    'fail s-1 Bearer x',
  ]);
});

test('a server behind HTTP may be slow, break off, forget the session and ask in between', async (t) => {
  const seen: string[] = [];
  let sessions = 0;
  const answerSlow = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { id, method = 'answer' } = JSON.parse(body) as { id: number; method?: string };
      const { 'mcp-session-id': session, 'mcp-protocol-version': version } = request.headers;
      seen.push(`${method} ${String(session ?? '-')} ${String(version ?? '-')}`);
      const json = (content: unknown, headers = {}): void =>
        void response
          .writeHead(200, { 'content-type': 'application/json', ...headers })
          .end(JSON.stringify(content));
      const events = (text: string): void =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
      if (method === 'initialize') {
        sessions += 1;
        json({ id, result: { protocolVersion: '2025-06-18' } }, { 'mcp-session-id': `s-${sessions}` });
      } else if (session !== `s-${sessions}`) response.writeHead(404).end();
      else if (method === 'forget') {
        sessions = 7;
        json({ id, result: 'forgotten' });
      } else if (method === 'slow') void answerSlow.promise.then(() => json({ id, result: 'slow' }));
      else if (method === 'breaks') events(': nothing else\n\n');
      else if (method === 'asks')
        events(`data: {"id":3,"method":"ping"}\n\ndata: [{"id":${id},"result":"asked"}]\n\n`);
      else if (method === 'answer') response.writeHead(500).end();
      else if (method.startsWith('notifications/')) response.writeHead(202).end();
      else json({ id, result: method });
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const child = spawn(process.execPath, ['--no-warnings', RUNNER, 'mcp'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const heard = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, headers: {} });
  say({ id: 0, method: 'initialize' });
  assert.deepEqual(await heard(), { id: 0, result: { protocolVersion: '2025-06-18' } });
  say({ method: 'notifications/initialized' });

  say({ id: 1, method: 'slow' });
  say({ id: 2, method: 'quick' });
  assert.deepEqual(await heard(), { id: 2, result: 'quick' });
  answerSlow.resolve();
  assert.deepEqual(await heard(), { id: 1, result: 'slow' });

  say({ id: 3, method: 'breaks' });
  const broken = 'the server ended its answer before the result was in it';
  assert.deepEqual(await heard(), { jsonrpc: '2.0', id: 3, error: { code: -32000, message: broken } });

  // The server's own request has the number of one of ours, and the answer to it cannot be delivered: that is no answer.
  say({ id: 4, method: 'asks' });
  assert.deepEqual(
    [await heard(), await heard()],
    [
      { id: 3, method: 'ping' },
      { id: 4, result: 'asked' },
    ],
  );
  say({ id: 3, result: {} });
  say({ id: 5, method: 'forget' });
  assert.deepEqual(await heard(), { id: 5, result: 'forgotten' });

  const before = seen.length;
  say({ id: 6, method: 'again' });
  assert.deepEqual(await heard(), { id: 6, result: 'again' });
  assert.deepEqual(seen.slice(before), [
    'again s-1 2025-06-18',
    'initialize - -',
    'notifications/initialized s-8 2025-06-18',
    'again s-8 2025-06-18',
  ]);
  child.stdin.end();
});
