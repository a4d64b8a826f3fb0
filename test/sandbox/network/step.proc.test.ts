import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isGone } from '../../../sandbox/cgroupfs/control-file.ts';
import { closeInherited } from '../../../sandbox/inherited.ts';
import type { StepUser } from '../../../sandbox/launcher/ground.ts';
import type { NetworkAccess, NetworkEvent } from '../../../sandbox/network/events.ts';
import { runCode } from '../../../src/skills/run-code.ts';
import { codeRequest, skillOf } from '../../skills/make.ts';
import { type Done, runConfined, runOutside, type Task } from '../escape/confined.ts';
import { lacksSandbox, openStage, SOMEBODY, type Stage } from '../escape/stage.ts';
import { until } from '../harness.ts';
import { byteServer, decisions, httpServer, NAME } from './bench.ts';
import { hostServers } from './host-servers.ts';
import { DIRECT, get, PRELUDE, probes, REACHED, tunnel } from './probes.ts';

const skip = await lacksSandbox();
const isRoot = process.getuid?.() === 0;

for (const [who, user] of [
  ['root or ourselves', null],
  ['another user', SOMEBODY],
] as readonly (readonly [string, StepUser | null])[]) {
  const lacks = skip || (user !== null && !isRoot && 'only root can be another user');
  describe(`the network of an agent step as ${who}`, { skip: lacks, timeout: 300_000 }, () => {
    let stage: Stage;
    before(async () => {
      closeInherited();
      stage = await openStage(user);
    });
    after(() => stage.close());

    const task = (argv: Task['argv'], more: Partial<Task> = {}): Task => ({
      ground: stage.ground,
      env: stage.env,
      view: { tier: 'agent', workspace: stage.workspace },
      argv,
      ...more,
    });
    const node = (attempts: readonly string[], ports: object, more: Partial<Task> = {}): Task =>
      task([process.execPath, ...probes(attempts)], {
        env: { ...stage.env, PORTS: JSON.stringify(ports) },
        ...more,
      });

    test('a listed host is reached by the usual programs, and nothing else is', async (t) => {
      const { port, seen } = await httpServer(t);
      const { access, events } = accessTo(port);
      const url = `http://${NAME}:${port}`;
      const programs: Readonly<Record<string, string>> = {
        curl: `curl -sS ${url}/curl`,
        python3: `/usr/bin/python3 -c 'import urllib.request as u; print(u.urlopen("${url}/python3").read().decode(), end="")'`,
        wget: `wget -q -O- ${url}/wget`,
        fetch: `"$NODE" -e 'fetch("${url}/fetch").then((r)=>r.text()).then((x)=>process.stdout.write(x))'`,
        node: `"$NODE" -e 'require("http").get("${url}/node",(r)=>r.pipe(process.stdout))'`,
      };
      for (const [name, script] of Object.entries(programs)) {
        if (!['fetch', 'node'].includes(name) && !existsSync(`/usr/bin/${name}`)) continue;
        const { stdout, stderr } = await runConfined(task(['/bin/sh', '-c', script], { access }));
        assert.equal(stdout, 'ok', `${name}: ${stderr}`);
        assert.equal(seen.at(-1), `GET /${name} ${NAME}:${port}`);
      }
      const script = `"$NODE" -e 'fetch("http://other.example/").catch(()=>console.log("no"))'`;
      assert.equal((await runConfined(task(['/bin/sh', '-c', script], { access }))).stdout, 'no\n');
      assert.equal(decisions(events).at(-1), 'refused connect other.example:80 host_not_listed');
    });

    test('every way around the proxy works outside and not inside', async (t) => {
      const ports = await hostServers(t);
      const { access } = accessTo(ports.tcp);
      const names = Object.keys(DIRECT);
      const lines = ({ stdout, stderr }: Done): string[] => {
        const words = stdout.trim().split('\n');
        assert.equal(words.length, names.length, stderr);
        return words.map((word, index) => `${names[index]}: ${word}`);
      };
      assert.deepEqual(
        lines(await runOutside(node(Object.values(DIRECT), ports))),
        names.map((name) => `${name}: ${REACHED}`),
      );
      for (const line of lines(await runConfined(node(Object.values(DIRECT), ports, { access }))))
        assert.match(line, /: (ECONNREFUSED|ENETUNREACH|EPERM|ETIMEOUT|silence)$/);
    });

    test('a raw socket cannot be had', {
      skip: !existsSync('/usr/bin/python3') && 'there is no python3',
    }, async (t) => {
      const { port } = await httpServer(t);
      const script = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)';
      const argv = ['/usr/bin/python3', '-c', script] as const;
      if (user === null && isRoot) assert.equal((await runOutside(task([...argv]))).code, 0);
      const { code, stderr } = await runConfined(task([...argv], { access: accessTo(port).access }));
      assert.equal(code, 1);
      assert.match(stderr, /PermissionError: \[Errno 1\]/);
    });

    test('through the proxy nothing comes that is not listed', async (t) => {
      const { port, seen } = await httpServer(t);
      const { access } = accessTo(port, {
        resolve: async (name) => (name === NAME ? ['127.0.0.1'] : ['127.0.0.4']),
      });
      const rules = [...access.rules, { host: 'inner.example', ports: [port] }];
      const good = `${NAME}:${port}`;
      const cases: readonly (readonly [string, string, string | null])[] = [
        [REACHED, get(`http://${good}/`, good), null],
        [REACHED, tunnel(good), get('/', good)],
        ['host_not_listed', get('http://169.254.169.254/latest', '169.254.169.254'), null],
        ['host_not_listed', tunnel('169.254.169.254:80'), null],
        ['host_not_listed', tunnel('[fd00:ec2::254]:80'), null],
        ['host_not_listed', tunnel(`localhost:${port}`), null],
        ['host_not_listed', tunnel(`0177.2:${port}`), null],
        ['port_not_listed', tunnel(`${NAME}:22`), null],
        ['address_refused', tunnel(`inner.example:${port}`), null],
        ['host_differs', get(`http://${good}/`, 'other.example'), null],
        ['host_differs', tunnel(good), get('/', 'other.example')],
        ['malformed', tunnel(good), tunnel('other.example:443')],
      ];
      const attempts = cases.map(([, text, more]) => `proxy(${text}${more === null ? '' : `,${more}`})`);
      const { stdout, stderr } = await runConfined(node(attempts, {}, { access: { ...access, rules } }));
      const words = stdout.trim().split('\n');
      assert.deepEqual(
        words,
        cases.map(([wanted]) => wanted),
        stderr,
      );
      assert.equal(seen.length, 2);
    });

    test('there is nothing inside to kill, and nothing more to reach when it tries', async (t) => {
      const { port, seen } = await httpServer(t);
      const { access } = accessTo(port);
      const script = `(sleep 60 & sleep 60 &); ps -e -o comm= | grep -v -e ps -e grep; exec "$NODE" -e "$KILLER"`;
      const request = get(`http://${NAME}:${port}/`, `${NAME}:${port}`);
      const killer = `try{process.kill(-1,'SIGKILL')}catch{}
tcp({port:${port},host:'127.0.0.1'}).then((word)=>{console.log(word);return proxy(${request})}).then(console.log)`;
      const env = { ...stage.env, PORTS: '{}', KILLER: PRELUDE + killer };
      const { stdout, stderr } = await runConfined(task(['/bin/sh', '-c', script], { access, env }));
      assert.deepEqual(
        stdout.trim().split('\n').toSorted(),
        ['ECONNREFUSED', 'bwrap', REACHED, 'sh', 'sleep', 'sleep'],
        stderr,
      );
      assert.equal(seen.length, 1);
    });

    test('a connection that a daemon of the step holds ends with the step', async (t) => {
      const { port, sockets } = await byteServer(t, () => undefined);
      const { access, events } = accessTo(port);
      const holder = `proxy(${get(`http://${NAME}:${port}/`, `${NAME}:${port}`)})`;
      const script = `setsid "$NODE" -e "$HOLDER" >/dev/null 2>&1 & while [ ! -e go ]; do sleep 0.05; done; rm go`;
      const env = { ...stage.env, PORTS: '{}', HOLDER: PRELUDE + holder };
      const done = runConfined(task(['/bin/sh', '-c', script], { access, env }));
      await until('it is connected', () => sockets.length === 1 && (sockets[0]?.bytesRead ?? 0) >= 0);
      writeFileSync(join(stage.workspace, 'go'), '');
      const { code, stderr } = await done;
      assert.equal(code, 0, stderr);
      assert.equal(events.at(-1)?.type, 'ended');
      assert.equal(events.at(-1)?.reason, 'step_ended');
      const [upstream] = sockets;
      assert.ok(upstream !== undefined);
      if (!upstream.readableEnded) await once(upstream.resume(), 'end');
    });

    test('two steps have a network and rules of their own', async (t) => {
      const [one, two] = [await httpServer(t), await httpServer(t)];
      const run = ({ port }: { port: number }, asked: { port: number }): Promise<Done> =>
        runConfined(
          node(
            [`proxy(${get(`http://${NAME}:${asked.port}/`, `${NAME}:${asked.port}`)})`],
            {},
            accessTo(port),
          ),
        );
      const done = await Promise.all([run(one, one), run(two, two), run(one, two), run(two, one)]);
      assert.deepEqual(
        done.map(({ stdout }) => stdout.trim()),
        [REACHED, REACHED, 'port_not_listed', 'port_not_listed'],
      );
    });

    test('the command is the same as without a proxy: pipes, end, signals, limits', async () => {
      const { access } = accessTo(1);
      const run = (script: string): Promise<Done> => runConfined(task(['/bin/sh', '-c', script], { access }));
      assert.equal((await run('exit 125')).code, 125);
      assert.equal((await run('exit 7')).code, 7);
      const killed = await run('kill -TERM $$');
      assert.deepEqual([killed.code, killed.signal, killed.hasRun], [null, 'SIGTERM', true]);
      // Node ignores SIGPIPE; the command must not.
      const script =
        'echo out; echo err >&2; grep -E "^Sig(Ign|Blk)" /proc/self/status; ls /proc/self/fd; ulimit -n; cat';
      const { stdout, stderr } = await run(script);
      assert.equal(stdout, 'out\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n1\n2\n3\n1024\n');
      assert.equal(stderr, 'err\n');
    });

    test('the environment is the step’s own, plus the proxy, and reaches nothing before the command', async () => {
      const { access } = accessTo(1);
      const env = {
        ...stage.env,
        NODE_OPTIONS: '--require /nowhere/evil.js',
        LD_PRELOAD: '/nowhere/evil.so',
        HTTP_PROXY: 'http://proxy.example:1',
        NO_PROXY: '*',
        LINES: 'a\nb\'c"d$e',
      };
      const script = 'env | grep -i _proxy | sort; printf "%s" "$LINES"; printf "%s\n" "" "$NODE_OPTIONS"';
      const { stdout, stderr } = await runConfined(task(['/bin/sh', '-c', script], { access, env }));
      const url = 'http://127.0.0.1:3128';
      const wanted = [
        ...['ALL_PROXY', 'HTTPS_PROXY', 'HTTP_PROXY', 'all_proxy', 'http_proxy', 'https_proxy'].map(
          (name) => `${name}=${url}`,
        ),
        'NODE_USE_ENV_PROXY=1',
        'NO_PROXY=',
        'no_proxy=',
      ];
      const [lines, rest] = [stdout.split('\n').slice(0, 9), stdout.split('\n').slice(9).join('\n')];
      assert.deepEqual(lines.toSorted(), wanted.toSorted(), stderr);
      assert.equal(rest, 'a\nb\'c"d$e\n--require /nowhere/evil.js\n');
      assert.ok(!stderr.includes('evil.js'), stderr);
      const odd = { ...stage.env, 'odd.name': 'x' };
      const named = await runConfined(task(['/usr/bin/env'], { access, env: odd }));
      assert.match(named.stdout, /^odd\.name=x$/m);
      assert.match(named.stdout, /^HTTP_PROXY=http:\/\/127\.0\.0\.1:3128$/m);
    });

    test('its environment is in no argv and in no environment but its own', async () => {
      const { access } = accessTo(1);
      const env = { ...stage.env, STEP_SECRET: 'hidden-from-all' };
      const script = 'touch up; while [ ! -e seen ]; do sleep 0.02; done; rm up seen';
      const done = runConfined(task(['/bin/sh', '-c', script], { access, env }));
      await until('the step runs', () => existsSync(join(stage.workspace, 'up')));
      const holders = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) =>
          /STEP_SECRET|hidden-from-all/.test(textOf(`/proc/${pid}/environ`) + textOf(`/proc/${pid}/cmdline`)),
        )
        .map((pid) => textOf(`/proc/${pid}/comm`).trim());
      writeFileSync(join(stage.workspace, 'seen'), '');
      assert.equal((await done).code, 0);
      assert.deepEqual(
        // The step's own: touch may not have ended yet.
        [...new Set(holders)].filter((name) => !['sleep', 'touch', ''].includes(name)),
        ['sh'],
      );
    });

    test('without a rule there is no proxy and no way out at all', async () => {
      for (const access of [undefined, { rules: [], onEvent: () => undefined }]) {
        const more = access === undefined ? {} : { access };
        const { stdout } = await runConfined(task(['/usr/bin/env'], more));
        assert.doesNotMatch(stdout, /3128/);
        const dialled = await runConfined(node([`tcp({port:3128,host:'127.0.0.1'})`], {}, more));
        assert.equal(dialled.stdout, 'ECONNREFUSED\n');
      }
    });

    test('where no listener can be made the step is not started: SANDBOX_FAILED', async () => {
      const { access } = accessTo(1);
      const ground = { ...stage.ground, hidden: [...stage.ground.hidden, dirname(process.execPath)] };
      const view = {
        tier: 'agent',
        network: 'proxy',
        workspace: stage.workspace,
        scratch: null,
        read: null,
        write: null,
        files: [],
      } as const;
      const request = codeRequest(skillOf({ command: '/bin/sh', args: ['-c', 'touch started'] }), {
        sandbox: { ground, view, access },
        workspace: stage.workspace,
        env: stage.env,
      });
      await assert.rejects(runCode(request), {
        code: 'SANDBOX_FAILED',
        message: 'skill "probe": the sandbox could not be made (network): there is no listener',
      });
      assert.ok(!existsSync(join(stage.workspace, 'started')));
    });

    test('a step can be cancelled while its listener is made', async () => {
      const { access } = accessTo(1);
      const view = {
        tier: 'agent',
        network: 'proxy',
        workspace: stage.workspace,
        scratch: null,
        read: null,
        write: null,
        files: [],
      } as const;
      for (const delayMs of [0, 5, 20, 60]) {
        const abort = new AbortController();
        const request = codeRequest(skillOf({ command: 'sleep', args: ['60'] }), {
          sandbox: { ground: stage.ground, view, access },
          workspace: stage.workspace,
          env: stage.env,
          signal: abort.signal,
        });
        const result = runCode(request);
        setTimeout(() => abort.abort(), delayMs);
        assert.deepEqual(await result, { kind: 'cancelled', survivors: [] });
      }
    });
  });
}

function accessTo(
  port: number,
  more: Partial<NetworkAccess> = {},
): { access: NetworkAccess; events: NetworkEvent[] } {
  const events: NetworkEvent[] = [];
  const rules = [NAME, '127.0.0.1'].map((host) => ({ host, ports: [port] }));
  const onEvent = (event: NetworkEvent): void => void events.push(event);
  return { access: { rules, onEvent, resolve: async () => ['127.0.0.1'], ...more }, events };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    // Gone meanwhile, or out of our reach.
    if (!isGone(error) && code !== 'EACCES') throw error;
    return '';
  }
}
